// Owns ways in for what nobody has declared: whatever listens is found by looking, twice a second.
#define _GNU_SOURCE
#include "discover.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listener.h"
#include "listening.h"
#include "options.h"
#include "sockets.h"
#include "way-in.h"

enum { MOST = 64 };

struct find {
  uint16_t port;  // 0 for none.
  bool listens;   // As of this look.
  struct listener listeners[WAYS];
};

static const struct options *options;
static struct group *group;
static struct find finds[MOST];
static struct timer next_look;

static void remove_path(uint16_t port, const struct way *way) {
  char path[PATH_SIZE];
  path_of_way(path, options->in, port, way);
  unlink(path);
}

static void forget(struct find *it) {
  for (int i = 0; i < WAYS; i++) {
    remove_path(it->port, &ways[i]);
    if (it->listeners[i].watch.fd >= 0) stop_listening(&it->listeners[i]);
  }
  it->port = 0;
}

static void open_ways(struct find *it) {
  struct destination *to = new_destination();
  if (!to) return;
  to->port = it->port;
  for (int i = 0; i < WAYS; i++) {
    char path[PATH_SIZE];
    path_of_way(path, options->in, it->port, &ways[i]);
    it->listeners[i] = (struct listener){.watch.fd = -1, .group = group, .to = to, .patience = ways[i].patience};
    int fd = listen_on_path(path);
    // Nobody is there to be told: it is as if it had not been found.
    if (fd >= 0) start_listening(&it->listeners[i], fd);
  }
  let_go(to);
}

static void is_found(uint16_t port) {
  struct find *free = NULL;
  if (port == 0 || is_own_port(options, port) || is_served(options, port)) return;
  for (struct find *it = finds; it < finds + MOST; it++) {
    if (it->port == port) {
      it->listens = true;
      return;
    }
    if (it->port == 0 && !free) free = it;
  }
  if (!free) return;
  *free = (struct find){.port = port, .listens = true};
  open_ways(free);
}

static void look(struct timer *timer) {
  set_timer(timer, LOOK, look);
  for (struct find *it = finds; it < finds + MOST; it++) it->listens = false;
  bool known = list_listening(is_found);
  for (struct find *it = finds; known && it < finds + MOST; it++)
    if (it->port && !it->listens) forget(it);
}

// Of what was found before this container was started again.
static void sweep(void) {
  DIR *directory = opendir(options->in);
  if (!directory) return;
  for (struct dirent *entry; (entry = readdir(directory));) {
    char *rest;
    unsigned long port = strtoul(entry->d_name, &rest, 10);
    if (port < 1 || port > 65535 || is_served(options, port)) continue;
    for (int i = 0; i < WAYS; i++)
      if (strcmp(rest, ways[i].suffix) == 0) remove_path(port, &ways[i]);
  }
  closedir(directory);
}

void discover(const struct options *the_options, struct group *the_group) {
  options = the_options;
  group = the_group;
  sweep();
  look(&next_look);
}
