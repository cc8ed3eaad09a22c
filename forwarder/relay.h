// What forward.c asks of relay.c.
#include <stdint.h>
#include <stdnoreturn.h>

#include "loop.h"

struct options;

// A socket that listens already.
struct opening {
  int fd;
  enum { TO_PROXY, TO_SOCKET, INSIDE } leads;
  const char *path;  // Of that socket.
  uint16_t port;  // To which it leads.
  enum delay patience;
};

// Hands on every connection that comes in, for ever, once the loop is open.
noreturn void relay(const struct options *options, const struct opening *openings, int count);
