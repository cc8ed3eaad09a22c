// What forward.c asks of relay.c.
#include <stdint.h>
#include <stdnoreturn.h>

struct listener {
  int fd;
  uint16_t port;
};

// The way to the proxy.
struct route {
  const char *socket;  // Path of the unix socket it listens on.
  const char *host;    // Where it is asked, on the listener's port, when nobody listens there; NULL for nowhere.
};

// Hands on every connection that comes in, for ever.
noreturn void relay(const struct route *route, const struct listener *listeners, int listener_count);
