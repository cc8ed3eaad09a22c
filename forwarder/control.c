// Owns the control socket: a word for each connection, and an answer.
#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents.h"
#include "bound.h"
#include "connection.h"
#include "doors.h"
#include "flow.h"
#include "loop.h"

enum { CLIENTS = 8, WORD_SIZE = 64 };

struct client {
  struct watch watch;
  struct timer patience;
  char word[WORD_SIZE];
  size_t size;
};

static const char *name, *id;
static struct bound bound = {.directory = -1};
static struct watch control = {.fd = -1};
static struct client clients[CLIENTS];
static unsigned client_number;
static struct timer next_look;

static void end_client(struct client *it) {
  cancel_timer(&it->patience);
  close_watch(&it->watch);
}

static void patience_is_over(struct timer *timer) { end_client(OWNER(struct client, patience, timer)); }

// Does what the word says; false when it says nothing that is known.
static bool obey(const char *word) {
  if (control.fd < 0) return false;
  if (strcmp(word, "scan") == 0) scan_agents();
  else if (strcmp(word, "stop") == 0) stop_doors();
  else return false;
  return true;
}

static void answer(struct client *it) {
  char text[256] = "error\n";
  if (obey(it->word))
    snprintf(text, sizeof text, "ok %.128s %d %d %d\n", id, getpid(), agent_count, connection_count);
  // What is left unread would take the answer back.
  discard(it->watch.fd);
  // Nothing has been sent yet: there is room for it. Who does not listen any more misses it.
  send(it->watch.fd, text, strlen(text), MSG_NOSIGNAL);
  end_client(it);
}

static void client_happened(struct watch *watch, uint32_t events) {
  (void)events;
  struct client *it = OWNER(struct client, watch, watch);
  ssize_t received = recv(watch->fd, it->word + it->size, WORD_SIZE - 1 - it->size, 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received <= 0) return end_client(it);
  it->size += received;
  char *end = memchr(it->word, '\n', it->size);
  if (end) *end = '\0';
  // Too long for any that is known.
  if (end || it->size == WORD_SIZE - 1) answer(it);
}

static void somebody_knocks(struct watch *watch, uint32_t events) {
  (void)events;
  int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  // Whoever has said nothing for so long gives way.
  struct client *it = &clients[client_number++ % CLIENTS];
  if (it->watch.fd > 0) end_client(it);
  *it = (struct client){.watch = {.fd = fd, .happen = client_happened}};
  set_timer(&it->patience, PATIENCE, patience_is_over);
  if (!watch_for(&it->watch, EPOLLIN)) end_client(it);
}

// Another process has taken over, or somebody has deleted the socket: nobody can tell this one to stop any more.
static void look(struct timer *timer) {
  if (is_in_place(&bound, name)) set_timer(timer, CONTROL, look);
  else stop_doors();
}

static int open_parent(const char *path) {
  char parent[4096];
  const char *slash = strrchr(path, '/');
  name = slash ? slash + 1 : path;
  if ((size_t)(name - path) >= sizeof parent) {
    errno = ENAMETOOLONG;
    return -1;
  }
  snprintf(parent, sizeof parent, "%.*s", (int)(name - path), path);
  return open(*parent ? parent : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool open_control(const char *path, const char *the_id) {
  id = the_id;
  bound.directory = open_parent(path);
  if (bound.directory < 0) return false;
  int fd = bind_in_place(&bound, name, 0600);
  if (fd < 0) return false;
  control = (struct watch){.fd = fd, .happen = somebody_knocks};
  set_timer(&next_look, CONTROL, look);
  return watch_for(&control, EPOLLIN);
}

void close_control(void) {
  if (control.fd < 0) return;
  remove_from_place(&bound, name);
  cancel_timer(&next_look);
  close_watch(&control);
}
