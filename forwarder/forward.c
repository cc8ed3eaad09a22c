// Makes an agent's own URLs answer inside its container, lets others in to what listens there, and then becomes the agent's
// program; or, called as `forward doors`, keeps the doors between the containers and the proxy; or, as `forward connect`, is a
// connection itself.
//
//   forward [--port PORT… --socket PATH [--host NAME]] [--lead PORT=PATH]… [--in DIR [--serve PORT]… [--discover]]
//     [--publish LISTEN=PORT]… -- PROGRAM [ARGUMENT…]
//
// Listens on each --port of the container's loopback, where names below `localhost` lead, and hands connections on to the
// proxy, which listens on the unix socket PATH. Where the engine runs in a virtual machine, nobody on this kernel listens
// there; then on to the same port of NAME, which is the user's machine.
//
// Listens on the PORT of each --lead of the container's loopback too, and hands connections on to the unix socket PATH.
//
// Listens on three unix sockets in DIR for each port that is served, and hands connections on to whoever listens on it in
// here. With --discover that is every port. --publish does so on a port, for machines that share no sockets.
//
// It listens before PROGRAM starts. A process of its own does the work, for PROGRAM takes the place of this one: it has the
// number, the terminal and the signals it would have without us.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connect.h"
#include "doors.h"
#include "options.h"
#include "relay.h"
#include "sockets.h"
#include "way-in.h"

// One above the highest descriptor that whoever starts us may have left open.
enum { MOST_INHERITED = 256 };
// What shells exit with.
enum { NOT_RUN = 126, NOT_FOUND = 127 };

static struct options options;
static struct opening *openings;
static int opening_count;
// Of the ways in; the reason is the first one's.
static int failure_count;
static char first_failure[256];

static void complain_of_port(uint16_t port, const char *what) {
  fprintf(stderr, "moat: %s in its container: port %u: %s\n", what, port, strerror(errno));
}

static void complain(const char *why) {
  fprintf(stderr, "moat: this agent's own URLs do not answer in its container: %s\n", why);
}

static void note_failure(const char *where, const char *why) {
  if (failure_count++ == 0) snprintf(first_failure, sizeof first_failure, "%s: %s", where, why);
}

// All have the same reason, nearly always: a line for each would hide what PROGRAM says.
static void complain_of_failures(void) {
  if (failure_count == 0) return;
  fprintf(stderr, "moat: this agent's ports cannot be reached from outside its container: %s", first_failure);
  if (failure_count > 1) fprintf(stderr, " (and %d more)", failure_count - 1);
  fprintf(stderr, "\n");
}

static void add_opening(struct opening opening) {
  if (opening.fd >= 0) openings[opening_count++] = opening;
}

static void listen_to_container(struct opening opening, const char *complaint) {
  opening.patience = PATIENCE;
  opening.fd = listen_on_ipv4(opening.port, LOOPBACK);
  if (opening.fd < 0) complain_of_port(opening.port, complaint);
  add_opening(opening);
  // Many containers have no IPv6.
  opening.fd = listen_on_ipv6(opening.port, LOOPBACK);
  add_opening(opening);
}

static void let_out(uint16_t port) {
  listen_to_container((struct opening){.leads = TO_PROXY, .port = port}, "this agent's own URLs do not answer");
}

static void lead_out(const struct lead *it) {
  listen_to_container((struct opening){.leads = TO_SOCKET, .path = it->path, .port = it->port},
                      "what its policy allows this agent cannot be reached");
}

static void serve(uint16_t port) {
  // That is the proxy's, which is outside.
  if (is_own_port(&options, port)) return;
  for (int i = 0; i < WAYS; i++) {
    char path[PATH_SIZE];
    path_of_way(path, options.in, port, &ways[i]);
    struct opening opening = {.leads = INSIDE, .port = port, .patience = ways[i].patience};
    opening.fd = listen_on_path(path);
    if (opening.fd < 0) note_failure(path, strerror(errno));
    add_opening(opening);
  }
}

static void publish(const struct publication *it) {
  char name[16];
  struct opening opening = {.leads = INSIDE, .port = it->leads_to, .patience = PATIENCE};
  snprintf(name, sizeof name, "port %u", it->port);
  if (is_own_port(&options, it->leads_to)) return note_failure(name, "It would lead to itself");
  opening.fd = listen_on_ipv4(it->port, EVERYWHERE);
  if (opening.fd < 0) note_failure(name, strerror(errno));
  add_opening(opening);
  opening.fd = listen_on_ipv6(it->port, EVERYWHERE);
  add_opening(opening);
}

// PROGRAM shall have the limits and the umask that it would have without us.
static void open_all(void) {
  struct rlimit limit;
  bool limited = getrlimit(RLIMIT_NOFILE, &limit) == 0;
  raise_descriptor_limit();
  mode_t mask = umask(0177);
  int most = 2 * (options.port_count + options.lead_count) + WAYS * options.served_count + 2 * options.published_count;
  openings = calloc(most + 1, sizeof *openings);
  for (int i = 0; openings && i < options.port_count; i++) let_out(options.ports[i]);
  for (int i = 0; openings && i < options.lead_count; i++) lead_out(&options.leads[i]);
  for (int i = 0; openings && i < options.served_count; i++) serve(options.served[i]);
  for (int i = 0; openings && i < options.published_count; i++) publish(&options.published[i]);
  umask(mask);
  if (limited) setrlimit(RLIMIT_NOFILE, &limit);
  complain_of_failures();
}

// Above input and output. One of those that there is not stays taken here, lest a listener gets its number.
static int open_nothing(void) {
  int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  return fd >= 0 && fd <= 2 ? open_nothing() : fd;
}

static bool is_opening(int fd) {
  for (int i = 0; i < opening_count; i++)
    if (openings[i].fd == fd) return true;
  return false;
}

// Lets go of all that PROGRAM has: its terminal, its output, what else is open, its place in the file system.
static bool stand_alone(int nothing) {
  for (int fd = 0; fd <= 2; fd++)
    if (dup2(nothing, fd) < 0) close(fd);
  for (int fd = 3; fd < MOST_INHERITED; fd++)
    if (!is_opening(fd)) close(fd);
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
    open_loop();
    // Twice, so that PROGRAM has no child it does not know of.
    pid_t grandchild = fork();
    if (grandchild != 0) _exit(grandchild < 0 ? errno : 0);
    umask(0177);
    relay(&options, openings, opening_count);
  }
  if (child < 0) return complain(strerror(errno));
  waitpid(child, &status, 0);
  if (status != 0) complain(strerror(WEXITSTATUS(status)));
}

int main(int count, char **arguments) {
  int nothing = open_nothing();
  if (count > 1 && strcmp(arguments[1], "doors") == 0) doors(count - 2, arguments + 2);
  if (count > 1 && strcmp(arguments[1], "connect") == 0) return connect_to_host(count - 2, arguments + 2);
  char **program = arguments + parse_options(count, arguments, &options);
  open_all();
  if (opening_count > 0 || options.discover) start_relay(nothing, program);
  execvp(*program, program);
  int reason = errno;
  fprintf(stderr, "moat: cannot run %s: %s\n", *program, strerror(reason));
  return reason == ENOENT ? NOT_FOUND : NOT_RUN;
}
