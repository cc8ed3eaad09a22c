// Owns how a socket comes to listen.
#define _GNU_SOURCE
#include "sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

// How many connections may come at once. The kernel takes what it allows of it; libc's SOMAXCONN may be far less.
enum { BACKLOG = 4096 };

static int listen_on(const struct sockaddr *address, socklen_t size) {
  int yes = 1;
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  // A container that is started again must not wait for what is left of its last connections.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address->sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (bind(fd, address, size) == 0 && listen(fd, BACKLOG) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int listen_on_ipv4(uint16_t port, enum reach reach) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(reach == LOOPBACK ? INADDR_LOOPBACK : INADDR_ANY);
  return listen_on((struct sockaddr *)&address, sizeof address);
}

int listen_on_ipv6(uint16_t port, enum reach reach) {
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  address.sin6_addr = reach == LOOPBACK ? in6addr_loopback : in6addr_any;
  return listen_on((struct sockaddr *)&address, sizeof address);
}

bool is_path_of_socket(const char *path) { return strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path; }

// Within the directory of a socket, where it is until it listens: never longer than the name that it gets.
static const char unready[] = "~";

int listen_on_path(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!is_path_of_socket(path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, path);
  char *name = strrchr(address.sun_path, '/');
  strcpy(name ? name + 1 : address.sun_path, unready);
  // Else: somebody who was ended before he could do so.
  unlink(address.sun_path);
  int fd = listen_on((struct sockaddr *)&address, sizeof address);
  // Whoever sees the name finds somebody who listens: between bind and listen a socket refuses.
  if (fd < 0 || rename(address.sun_path, path) == 0) return fd;
  int error = errno;
  unlink(address.sun_path);
  close(fd);
  errno = error;
  return -1;
}

void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}
