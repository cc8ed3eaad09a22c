// Waiting, for sockets and for time: the only thing that this process does when nothing happens.
#ifndef LOOP_H
#define LOOP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

// What a watch or a timer is a part of.
#define OWNER(type, member, pointer) ((type *)((char *)(pointer) - offsetof(type, member)))

struct watch {
  int fd;           // -1 for none.
  uint32_t events;  // What is waited for now; 0 before it is for the first time.
  void (*happen)(struct watch *watch, uint32_t events);
};

// Milliseconds. Few: all timers of a delay are one list, in the order in which they ring.
enum delay {
  INTERVAL = 25,      // Until a server that did not take a connection is asked again.
  ATTEMPT = 200,      // How long one here may take to do so. The kernel would ask again only after a second.
  LOOK = 500,         // Between two looks at who listens.
  QUICK = 700,        // How long a browser's navigation waits for a server.
  FAREWELL = 2000,    // How long connections have to end when the doors close.
  PATIENCE = 5000,    // How long everything else waits for a server, or for its client to take in the end.
  CONTROL = 10000,    // Between two looks at whether the control socket is still ours.
  SILENCE = 30000,    // How long a client may say nothing before it is known where it wants to go.
};

struct timer {
  struct timer *next, *previous;
  int64_t at;
  enum delay delay;  // 0 while it is not set.
  void (*ring)(struct timer *timer);
};

// Milliseconds, of a clock that is never set.
int64_t now(void);

void open_loop(void);

// False when the kernel has no room for it. Errors and hang-ups are always told, without end.
bool watch_for(struct watch *watch, uint32_t events);

// Closes it; nothing that has already happened to it is told any more.
void close_watch(struct watch *watch);

void set_timer(struct timer *timer, enum delay delay, void (*ring)(struct timer *timer));
void cancel_timer(struct timer *timer);
static inline bool is_set(const struct timer *timer) { return timer->delay != 0; }

noreturn void loop(void);
#endif
