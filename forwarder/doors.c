// Owns `forward doors`: its arguments, its beginning and its end.
//
//   forward doors --agents DIR --tls PATH --plain PATH --control PATH [--limit N] [--id TEXT]
//
// At DIR/run_…/proxy.sock it takes connections from one container each, and hands them on to the proxy: those that begin as
// TLS does to the socket --tls, others to --plain, all with a first line that says which container they come from. A process
// of its own, and long-lived: the proxy may be started anew, and containers wait for it here.
#define _GNU_SOURCE
#include "doors.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents.h"
#include "connection.h"
#include "control.h"
#include "destination.h"
#include "options.h"
#include "sockets.h"

enum { MOST_CONNECTIONS = 500, SECOND = 1000 };

static const char *agents, *tls, *plain, *control, *id = "-";
static int limit = MOST_CONNECTIONS;
static struct timer next_look, farewell;

void report(const char *what, const char *why) {
  static int64_t next;
  if (now() < next) return;
  next = now() + SECOND;
  fprintf(stderr, "moat: doors: %s: %s\n", what, why);
}

static noreturn void end(struct timer *timer) {
  (void)timer;
  exit(0);
}

static void look_for_connections(struct timer *timer) {
  if (connection_count == 0) exit(0);
  set_timer(timer, INTERVAL, look_for_connections);
}

void stop_doors(void) {
  if (is_set(&farewell)) return;
  leave_agents();
  close_control();
  set_timer(&farewell, FAREWELL, end);
  // Not at once: whoever told us to stop is to have an answer.
  set_timer(&next_look, INTERVAL, look_for_connections);
}

static noreturn void usage(void) {
  fprintf(stderr, "usage: forward doors --agents DIR --tls PATH --plain PATH --control PATH [--limit N] [--id TEXT]\n");
  exit(USAGE);
}

static void parse(int count, char **arguments) {
  for (int at = 0; at < count; at += 2) {
    const char *name = arguments[at], *value = arguments[at + 1];
    if (!value) usage();
    if (strcmp(name, "--agents") == 0) agents = value;
    else if (strcmp(name, "--tls") == 0) tls = value;
    else if (strcmp(name, "--plain") == 0) plain = value;
    else if (strcmp(name, "--control") == 0) control = value;
    else if (strcmp(name, "--id") == 0) id = value;
    else if (strcmp(name, "--limit") == 0 && (limit = atoi(value)) > 0) continue;
    else usage();
  }
  if (!agents || !tls || !plain || !control) usage();
  if (!is_path_of_socket(tls) || !is_path_of_socket(plain)) usage();
}

static struct destination *lead_to(const char *path) {
  struct destination *it = new_destination();
  if (!it) exit(1);
  it->path = path;
  return it;
}

void doors(int count, char **arguments) {
  parse(count, arguments);
  // Whoever reads our errors, or started us, may leave.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  raise_descriptor_limit();
  open_loop();
  serve_agents(agents, limit, lead_to(tls), lead_to(plain));
  if (!open_control(control, id)) {
    report(control, strerror(errno));
    exit(1);
  }
  loop();
}
