// Owns waiting in line: however many connections wait for a server, one of them asks whether it is there.
#define _GNU_SOURCE
#include "destination.h"

#include <stdlib.h>

#include "connection.h"

struct destination *new_destination(void) {
  struct destination *it = calloc(1, sizeof *it);
  if (it) it->users = 1;
  return it;
}

void hold(struct destination *it) { it->users++; }

void let_go(struct destination *it) {
  if (--it->users > 0) return;
  cancel_timer(&it->again);
  free(it);
}

static bool is_waited_for(const struct destination *it) { return it->asking || is_set(&it->again); }

static void first_asks(struct timer *timer) {
  struct destination *to = OWNER(struct destination, again, timer);
  if (!to->first) return;
  hold(to);
  to->asking = to->first;
  leave_line(to->asking);
  ask(to->asking);
  serve_line(to);
  let_go(to);
}

static void ask_soon(struct destination *to) {
  if (!is_waited_for(to)) set_timer(&to->again, INTERVAL, first_asks);
}

void serve_line(struct destination *to) {
  while (to->first && !is_waited_for(to)) {
    struct connection *next = to->first;
    leave_line(next);
    ask(next);
  }
}

void is_answered(struct destination *to) {
  to->asking = NULL;
  cancel_timer(&to->again);
}

void forget_asking(struct connection *it) {
  struct destination *to = it->to;
  if (to->asking != it) return;
  to->asking = NULL;
  if (to->first) ask_soon(to);
}

void stand_first(struct connection *it) {
  struct destination *to = it->to;
  it->ahead = NULL;
  it->behind = to->first;
  if (to->first) to->first->ahead = it;
  else to->last = it;
  to->first = it;
  it->state = WAITING;
  ask_soon(to);
}

static void stand_last(struct connection *it) {
  struct destination *to = it->to;
  it->ahead = to->last;
  it->behind = NULL;
  if (to->last) to->last->behind = it;
  else to->first = it;
  to->last = it;
  it->state = WAITING;
}

void leave_line(struct connection *it) {
  struct destination *to = it->to;
  if (it->ahead) it->ahead->behind = it->behind;
  else to->first = it->behind;
  if (it->behind) it->behind->ahead = it->ahead;
  else to->last = it->ahead;
  it->state = ASKING;
}

void stand_in_line(struct connection *it) {
  struct destination *to = it->to;
  // Who has no patience does not wait for others' answers either.
  if (is_set(&it->patience) && is_waited_for(to)) return stand_last(it);
  hold(to);
  ask(it);
  serve_line(to);
  let_go(to);
}
