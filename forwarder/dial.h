// The way to the proxy.
#include <stdbool.h>
#include <stdint.h>

struct route {
  const char *socket;  // Path of the unix socket it listens on.
  const char *host;    // Where it is asked, on the listener's port, when nobody listens there; NULL for nowhere.
};

// A socket that is connected or, which only poll() then tells, about to be; -1 when nobody takes the connection now.
int dial(const struct route *route, uint16_t port, bool *connected);
