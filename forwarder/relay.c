// Owns what serves a container: whatever comes in at an opening is handed on to where that leads.
#define _GNU_SOURCE
#include "relay.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "discover.h"
#include "listener.h"
#include "options.h"

static struct group everybody = {.limit = INT_MAX};
static struct listener *listeners;

static bool leads_to(const struct destination *it, const struct opening *opening) {
  if (it->port != opening->port || !it->path != (opening->leads == INSIDE)) return false;
  return opening->leads != TO_SOCKET || it->path == opening->path;
}

// Whoever waits for the same server waits in the same line.
static struct destination *lead(const struct options *options, const struct opening *opening, int earlier) {
  for (int i = 0; i < earlier; i++)
    if (leads_to(listeners[i].to, opening)) return listeners[i].to;
  struct destination *it = new_destination();
  if (!it) _exit(1);
  it->port = opening->port;
  if (opening->leads == INSIDE) return it;
  if (opening->leads == TO_SOCKET) {
    it->path = opening->path;
    return it;
  }
  it->path = options->socket;
  it->host = options->host;
  return it;
}

void relay(const struct options *options, const struct opening *openings, int count) {
  // Who does not read any more what is carried to him ends his connection, and no other.
  signal(SIGPIPE, SIG_IGN);
  listeners = calloc(count + 1, sizeof *listeners);
  if (!listeners) _exit(1);
  for (int i = 0; i < count; i++) {
    const struct opening *opening = &openings[i];
    struct destination *to = lead(options, opening, i);
    listeners[i] = (struct listener){.group = &everybody, .to = to, .patience = opening->patience};
    if (!start_listening(&listeners[i], opening->fd)) _exit(1);
  }
  if (options->discover) discover(options, &everybody);
  loop();
}
