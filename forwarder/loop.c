// Owns the waiting: one epoll set, and lists of timers. An event costs the same however many sockets there are.
#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, DELAYS = 8 };

static int set = -1;
// What has happened, and has not all been told yet.
static struct epoll_event batch[BATCH];
static int batch_at, batch_end;

struct queue {
  enum delay delay;
  struct timer *first, *last;
};

static struct queue queues[DELAYS];

void open_loop(void) {
  set = epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) _exit(errno);
}

// Sockets

bool watch_for(struct watch *watch, uint32_t events) {
  // Told in any case: so it is never 0.
  struct epoll_event event = {.events = events | EPOLLERR, .data.ptr = watch};
  if (watch->events == event.events) return true;
  int what = watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (epoll_ctl(set, what, watch->fd, &event) != 0) return false;
  watch->events = event.events;
  return true;
}

void close_watch(struct watch *watch) {
  for (int i = batch_at; i < batch_end; i++)
    if (batch[i].data.ptr == watch) batch[i].data.ptr = NULL;
  if (watch->fd >= 0) close(watch->fd);
  watch->fd = -1;
  watch->events = 0;
}

static void wait_for_events(int timeout) {
  int count = epoll_wait(set, batch, BATCH, timeout);
  if (count < 0 && errno != EINTR) _exit(errno);
  batch_end = count < 0 ? 0 : count;
  for (batch_at = 0; batch_at < batch_end;) {
    struct epoll_event *event = &batch[batch_at++];
    struct watch *watch = event->data.ptr;
    if (watch) watch->happen(watch, event->events);
  }
}

// Time

int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static struct queue *find_queue(enum delay delay) {
  struct queue *queue = queues;
  while (queue->delay && queue->delay != delay) queue++;
  queue->delay = delay;
  return queue;
}

void set_timer(struct timer *timer, enum delay delay, void (*ring)(struct timer *timer)) {
  cancel_timer(timer);
  struct queue *queue = find_queue(delay);
  *timer = (struct timer){.previous = queue->last, .at = now() + delay, .delay = delay, .ring = ring};
  if (queue->last) queue->last->next = timer;
  else queue->first = timer;
  queue->last = timer;
}

void cancel_timer(struct timer *timer) {
  if (!is_set(timer)) return;
  struct queue *queue = find_queue(timer->delay);
  if (timer->previous) timer->previous->next = timer->next;
  else queue->first = timer->next;
  if (timer->next) timer->next->previous = timer->previous;
  else queue->last = timer->previous;
  timer->delay = 0;
}

// Milliseconds until the next one rings; -1 for never.
static int next_ring(void) {
  int64_t first = INT64_MAX;
  for (struct queue *queue = queues; queue < queues + DELAYS; queue++)
    if (queue->first && queue->first->at < first) first = queue->first->at;
  if (first == INT64_MAX) return -1;
  int64_t left = first - now();
  return left > 0 ? (int)left : 0;
}

static void ring_timers(void) {
  int64_t time = now();
  for (struct queue *queue = queues; queue < queues + DELAYS; queue++) {
    // One that is set meanwhile rings later.
    for (struct timer *timer = queue->first; timer && timer->at <= time; timer = queue->first) {
      cancel_timer(timer);
      timer->ring(timer);
    }
  }
}

void loop(void) {
  for (;;) {
    wait_for_events(next_ring());
    ring_timers();
  }
}
