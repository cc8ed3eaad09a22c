// Owns how a connection to the proxy is made: on its unix socket or, where nobody listens on that, on the user's machine.
#define _GNU_SOURCE
#include "dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// How long a name that leads nowhere is not looked up again. Seconds.
enum { FORGET = 5 };

// -1, and errno says why, when nobody takes the connection now.
static int connect_to(const struct sockaddr *address, socklen_t size, bool *connected) {
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  *connected = connect(fd, address, size) == 0;
  if (*connected || errno == EINPROGRESS) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

// Every connection waits while a name is looked up: so that is done once, and not soon again where it failed.
static const struct sockaddr_in *find(const char *name) {
  static struct sockaddr_in address;
  static time_t ask_at;
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
  if (address.sin_family == AF_INET) return &address;
  if (now() < ask_at) return NULL;
  int failure = getaddrinfo(name, NULL, &hints, &found);
  ask_at = now() + FORGET;
  if (failure) return NULL;
  memcpy(&address, found->ai_addr, sizeof address);
  freeaddrinfo(found);
  return &address;
}

static int dial_host(const char *name, uint16_t port, bool *connected) {
  const struct sockaddr_in *found = find(name);
  if (!found) return -1;
  struct sockaddr_in address = *found;
  // There we listen ourselves, and would hand connections on to ourselves without end.
  uint32_t ip = ntohl(address.sin_addr.s_addr);
  if (ip == INADDR_LOOPBACK || ip == INADDR_ANY) return -1;
  address.sin_port = htons(port);
  return connect_to((struct sockaddr *)&address, sizeof address, connected);
}

int dial(const struct route *route, uint16_t port, bool *connected) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, route->socket, sizeof address.sun_path - 1);
  int fd = connect_to((struct sockaddr *)&address, sizeof address, connected);
  // A proxy with more callers than it can hear is there all the same.
  if (fd >= 0 || !route->host || errno == EAGAIN) return fd;
  return dial_host(route->host, port, connected);
}
