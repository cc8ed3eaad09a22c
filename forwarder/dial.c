// Owns how a connection is made: to a unix socket and, where nobody listens on that, to the user's machine; or in here.
#define _GNU_SOURCE
#include "dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "destination.h"
#include "loop.h"
#include "own-addresses.h"

// How long a name that leads nowhere is not looked up again. Milliseconds.
enum { FORGET = 5000 };

static int fail(int fd, int error) {
  close(fd);
  errno = error;
  return -1;
}

// -1, and errno says why, when nobody takes the connection now.
static int connect_to(const struct sockaddr *address, socklen_t size, bool *connected) {
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int yes = 1;
  if (address->sa_family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  *connected = connect(fd, address, size) == 0;
  if (*connected || errno == EINPROGRESS) return fd;
  return fail(fd, errno);
}

static int dial_path(const char *path, bool *connected) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return connect_to((struct sockaddr *)&address, sizeof address, connected);
}

// Every connection waits while a name is looked up: so that is done once, and not soon again where it failed.
static const struct sockaddr_in *find(const char *name) {
  static struct sockaddr_in address;
  static int64_t ask_at;
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

// The kernel may give a socket the very port it is to ask, and then connects it to itself.
static bool is_own_peer(int fd) {
  struct sockaddr_in6 own = {0}, peer = {0};
  socklen_t own_size = sizeof own, peer_size = sizeof peer;
  if (getsockname(fd, (struct sockaddr *)&own, &own_size) != 0) return false;
  if (getpeername(fd, (struct sockaddr *)&peer, &peer_size) != 0) return false;
  return own_size == peer_size && memcmp(&own, &peer, own_size) == 0;
}

int failure_of(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error || !is_own_peer(fd)) return error;
  // Else the port would stay taken for a minute, and the server could not have it.
  struct linger none = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  return ECONNREFUSED;
}

static int dial_inside(uint16_t port, unsigned *step, bool *connected) {
  struct sockaddr_storage address;
  socklen_t size;
  for (; (size = own_address(*step, port, &address)); (*step)++) {
    int fd = connect_to((struct sockaddr *)&address, size, connected);
    if (fd < 0) continue;
    // To an address of our own there is nearly always an answer by now.
    if (!*connected) *connected = connect(fd, (struct sockaddr *)&address, size) == 0;
    int error = *connected ? failure_of(fd) : errno == EALREADY ? 0 : errno;
    if (!error) return fd;
    fail(fd, error);
  }
  errno = ECONNREFUSED;
  return -1;
}

int dial(const struct destination *to, unsigned *step, bool *connected) {
  if (!to->path) return dial_inside(to->port, step, connected);
  if (*step == 0) {
    int fd = dial_path(to->path, connected);
    // A proxy with more callers than it can hear is there all the same.
    if (fd >= 0 || errno == EAGAIN) return fd;
    *step = 1;
  }
  errno = ECONNREFUSED;
  return *step == 1 && to->host ? dial_host(to->host, to->port, connected) : -1;
}
