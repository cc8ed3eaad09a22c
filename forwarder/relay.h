// What forward.c asks of relay.c.
#include <stdint.h>
#include <stdnoreturn.h>

struct listener {
  int fd;
  uint16_t port;
};

struct route;

// Hands on every connection that comes in, for ever.
noreturn void relay(const struct route *route, const struct listener *listeners, int listener_count);
