// Makes an agent's own URLs answer inside its container, and then becomes the agent's program.
//
//   forward --port PORT… --socket PATH [--host NAME] -- PROGRAM [ARGUMENT…]
//
// Listens on each PORT of the container's loopback, where names below `localhost` lead, and hands connections on to the
// proxy, which listens on the unix socket PATH. Where the engine runs in a virtual machine, nobody on this kernel listens
// there; then on to the same port of NAME, which is the user's machine.
//
// It listens before PROGRAM starts. A process of its own does the work, for PROGRAM takes the place of this one: it has the
// number, the terminal and the signals it would have without us.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dial.h"
#include "relay.h"

enum { MOST_PORTS = 2, MOST_LISTENERS = 2 * MOST_PORTS };
// How many connections may come at once. The kernel takes what it allows of it; libc's SOMAXCONN may be far less.
enum { BACKLOG = 4096 };
// One above the highest descriptor that whoever starts us may have left open.
enum { MOST_INHERITED = 256 };
// What shells exit with.
enum { USAGE = 2, NOT_RUN = 126, NOT_FOUND = 127 };

static uint16_t ports[MOST_PORTS];
static int port_count;
static struct route route;
static struct listener listeners[MOST_LISTENERS];
static int listener_count;

static void complain(const char *why) {
  fprintf(stderr, "moat: this agent's own URLs do not answer in its container: %s\n", why);
}

static bool listen_on(uint16_t port, const struct sockaddr *address, socklen_t size) {
  int yes = 1;
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  // A container that is started again must not wait for what is left of its last connections.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address->sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (bind(fd, address, size) != 0 || listen(fd, BACKLOG) != 0) {
    int error = errno;
    close(fd);
    errno = error;
    return false;
  }
  listeners[listener_count++] = (struct listener){.fd = fd, .port = port};
  return true;
}

static void listen_on_loopback(uint16_t port) {
  struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  if (!listen_on(port, (struct sockaddr *)&ipv4, sizeof ipv4)) {
    char why[80];
    snprintf(why, sizeof why, "port %u: %s", port, strerror(errno));
    complain(why);
  }
  // Many containers have no IPv6.
  listen_on(port, (struct sockaddr *)&ipv6, sizeof ipv6);
}

static noreturn void usage(void) {
  fprintf(stderr, "usage: forward --port PORT... --socket PATH [--host NAME] -- PROGRAM [ARGUMENT...]\n");
  exit(USAGE);
}

static uint16_t parse_port(const char *text) {
  char *end;
  long port = strtol(text, &end, 10);
  if (*end || port < 1 || port > 65535) usage();
  return (uint16_t)port;
}

// The index of PROGRAM.
static int parse(int count, char **arguments) {
  int at = 1;
  for (; at + 1 < count && strcmp(arguments[at], "--") != 0; at += 2) {
    const char *value = arguments[at + 1];
    if (strcmp(arguments[at], "--port") == 0 && port_count < MOST_PORTS) ports[port_count++] = parse_port(value);
    else if (strcmp(arguments[at], "--socket") == 0) route.socket = value;
    else if (strcmp(arguments[at], "--host") == 0) route.host = value;
    else usage();
  }
  if (at + 1 >= count || !route.socket || port_count == 0) usage();
  // Cut off, it would be somebody else's.
  if (strlen(route.socket) >= sizeof((struct sockaddr_un *)0)->sun_path) usage();
  return at + 1;
}

static void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Above PROGRAM's input and output. One of those that it does not have stays taken here, lest a listener gets its number.
static int open_nothing(void) {
  int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  return fd >= 0 && fd <= 2 ? open_nothing() : fd;
}

static bool is_listener(int fd) {
  for (int i = 0; i < listener_count; i++)
    if (listeners[i].fd == fd) return true;
  return false;
}

// Lets go of all that PROGRAM has: its terminal, its output, what else is open, its place in the file system.
static bool stand_alone(int nothing) {
  for (int fd = 0; fd <= 2; fd++)
    if (dup2(nothing, fd) < 0) close(fd);
  for (int fd = 3; fd < MOST_INHERITED; fd++)
    if (!is_listener(fd)) close(fd);
  raise_descriptor_limit();
  return setsid() >= 0 && chdir("/") == 0;
}

// Once this returns, nothing of it can be mistaken for PROGRAM.
static void start_relay(int nothing, char **program) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    // So that nobody who looks for PROGRAM by its arguments finds us.
    for (; *program; program++) memset(*program, 0, strlen(*program));
    if (!stand_alone(nothing)) _exit(errno);
    // Twice, so that PROGRAM has no child it does not know of.
    pid_t grandchild = fork();
    if (grandchild != 0) _exit(grandchild < 0 ? errno : 0);
    relay(&route, listeners, listener_count);
  }
  if (child < 0) return complain(strerror(errno));
  waitpid(child, &status, 0);
  if (status != 0) complain(strerror(WEXITSTATUS(status)));
}

int main(int count, char **arguments) {
  char **program = arguments + parse(count, arguments);
  int nothing = open_nothing();
  for (int i = 0; i < port_count; i++) listen_on_loopback(ports[i]);
  if (listener_count > 0) start_relay(nothing, program);
  execvp(*program, program);
  int reason = errno;
  fprintf(stderr, "moat: cannot run %s: %s\n", *program, strerror(reason));
  return reason == ENOENT ? NOT_FOUND : NOT_RUN;
}
