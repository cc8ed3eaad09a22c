// Owns accepting: who knocks while there is no room waits in the kernel's queue.
#define _GNU_SOURCE
#include "listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
  // For what is open for a moment: a look at a directory, a name that is looked up, a word on the control socket.
  SPARE = 24,
  // However many connections a group has, this part of the room that is left is kept from it: so others find some.
  SHARE = 8,
};

static int descriptor_count = SPARE;
static struct listener *paused;
static struct timer retry;

void count_descriptors(int more) { descriptor_count += more; }

// How many more connections there may be; each has two descriptors.
static int room(void) {
  static struct rlimit limit;
  if (limit.rlim_cur == 0) getrlimit(RLIMIT_NOFILE, &limit);
  int64_t most = limit.rlim_cur < INT32_MAX ? (int64_t)limit.rlim_cur : INT32_MAX;
  return (int)(most - descriptor_count) / 2 - connection_count;
}

static bool has_room(const struct group *group) {
  // Where there is nothing to wait for, one may as well try.
  if (connection_count == 0) return true;
  return group->count < group->limit && group->count < SHARE * (int64_t)room();
}

static void resume_after_a_while(struct timer *timer) {
  (void)timer;
  resume_listeners();
}

static void pause_listener(struct listener *it) {
  it->paused = true;
  it->next_paused = paused;
  paused = it;
  watch_for(&it->watch, 0);
}

void resume_listeners(void) {
  for (struct listener **at = &paused; *at;) {
    struct listener *it = *at;
    if (!has_room(it->group)) {
      at = &it->next_paused;
      continue;
    }
    *at = it->next_paused;
    it->paused = false;
    watch_for(&it->watch, EPOLLIN);
  }
}

static void somebody_knocks(struct watch *watch, uint32_t events) {
  (void)events;
  struct listener *it = OWNER(struct listener, watch, watch);
  if (!has_room(it->group)) return pause_listener(it);
  int client = accept4(it->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client >= 0) {
    int yes = 1;
    // A unix socket does so anyway, and does not mind being told.
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return add_connection(client, it->group, it->to, it->patience);
  }
  // Gone before it was heard.
  if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return;
  // The whole system has no room, for example.
  pause_listener(it);
  if (!is_set(&retry)) set_timer(&retry, INTERVAL, resume_after_a_while);
}

bool start_listening(struct listener *it, int fd) {
  it->watch = (struct watch){.fd = fd, .happen = somebody_knocks};
  if (it->to) hold(it->to);
  count_descriptors(1);
  if (watch_for(&it->watch, EPOLLIN)) return true;
  stop_listening(it);
  return false;
}

void stop_listening(struct listener *it) {
  struct listener **at = &paused;
  while (*at && *at != it) at = &(*at)->next_paused;
  if (*at) *at = it->next_paused;
  close_watch(&it->watch);
  if (it->to) let_go(it->to);
  count_descriptors(-1);
}
