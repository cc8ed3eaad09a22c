// Owns connections: what becomes of one from its first moment to its last.
#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "destination.h"
#include "dial.h"
#include "listener.h"
#include "pipe.h"

int connection_count;

void end_connection(struct connection *it) {
  struct destination *to = it->to;
  close_watch(&it->client);
  close_watch(&it->server);
  cancel_timer(&it->patience);
  cancel_timer(&it->attempt);
  drop_rest(&it->up);
  drop_rest(&it->down);
  if (it->state == WAITING) leave_line(it);
  if (to) forget_asking(it);
  if (it->previous) it->previous->next = it->next;
  else it->group->first = it->next;
  if (it->next) it->next->previous = it->previous;
  it->group->count--;
  if (--connection_count == 0) close_pipe();
  free(it);
  if (to) let_go(to);
  resume_listeners();
}

// In the end

static void patience_is_over(struct timer *timer) { end_connection(OWNER(struct connection, patience, timer)); }

// A client that still sends may not have read its answer yet: closing now, with what it sent unread, would take
// that back.
static void leave(struct connection *it) {
  close_watch(&it->server);
  it->state = LEAVING;
  set_timer(&it->patience, PATIENCE, patience_is_over);
  if (!discard(it->client.fd) || !watch_for(&it->client, EPOLLIN)) end_connection(it);
}

// While it is open

// That a peer has left is told unasked, and without end: where nothing is done about it yet, it is to be told once.
static uint32_t awaited(const struct flow *in, const struct flow *out) {
  uint32_t events = (in->rest || in->closed ? 0 : EPOLLIN) | (out->rest ? EPOLLOUT : 0);
  return events || in->closed ? events : EPOLLET;
}

// Who has said all it will is "ready" only when it does not listen any more either.
static bool has_left(uint32_t happened, const struct flow *from) {
  return from->closed && (happened & (EPOLLERR | EPOLLHUP));
}

static void exchange(struct connection *it, uint32_t client, uint32_t server) {
  struct flow *up = &it->up, *down = &it->down;
  bool sound = true;
  // A socket that has ended or failed is "ready": reading or writing it says which.
  if (server && up->rest) drain(up);
  if (client && down->rest) drain(down);
  if (client && !up->rest && !up->closed) sound = fill(up);
  if (server && !down->rest && !down->closed) sound = fill(down) && sound;
  if (!sound || has_left(client, up)) return end_connection(it);
  if ((up->closed && down->closed) || has_left(server, down)) return leave(it);
  if (!watch_for(&it->client, awaited(up, down)) || !watch_for(&it->server, awaited(down, up))) end_connection(it);
}

static bool greet(const struct connection *it) {
  const struct group *group = it->group;
  if (!group->greeting) return true;
  // Nothing has been sent yet: there is room for it.
  return send(it->server.fd, group->greeting, group->greeting_size, MSG_NOSIGNAL) == (ssize_t)group->greeting_size;
}

static void start_flows(struct connection *it) {
  cancel_timer(&it->patience);
  cancel_timer(&it->attempt);
  it->state = OPEN;
  it->up.from = it->down.to = it->client.fd;
  it->up.to = it->down.from = it->server.fd;
  is_answered(it->to);
  if (!greet(it)) return end_connection(it);
  // Most clients have said something by now.
  exchange(it, EPOLLIN, 0);
}

// Before it is

static void is_missed(struct connection *it, bool is_busy) {
  close_watch(&it->server);
  cancel_timer(&it->attempt);
  // Who is there and has no time yet is waited for by everybody.
  if (is_busy && it->patience.delay < PATIENCE) set_timer(&it->patience, PATIENCE, patience_is_over);
  if (!is_set(&it->patience)) return end_connection(it);
  forget_asking(it);
  stand_first(it);
}

static void attempt_is_over(struct timer *timer) { is_missed(OWNER(struct connection, attempt, timer), true); }

static void try_from(struct connection *it, unsigned step) {
  bool connected = false;
  it->state = ASKING;
  it->step = step;
  it->server.fd = dial(it->to, &it->step, &connected);
  if (it->server.fd < 0) return is_missed(it, errno == EAGAIN);
  if (connected) return start_flows(it);
  if (!watch_for(&it->server, EPOLLOUT)) return end_connection(it);
  // The user's machine may take its time.
  if (!it->to->path) set_timer(&it->attempt, ATTEMPT, attempt_is_over);
}

void ask(struct connection *it) { try_from(it, 0); }

static void is_settled(struct connection *it) {
  struct destination *to = it->to;
  hold(to);
  if (failure_of(it->server.fd) == 0) {
    start_flows(it);
  } else {
    close_watch(&it->server);
    cancel_timer(&it->attempt);
    try_from(it, it->step + 1);
  }
  serve_line(to);
  let_go(to);
}

static void send_to(struct connection *it, struct destination *to, enum delay patience) {
  it->to = to;
  hold(to);
  // It is not read before there is somebody to read it for.
  if (!watch_for(&it->client, 0)) return end_connection(it);
  if (patience) set_timer(&it->patience, patience, patience_is_over);
  stand_in_line(it);
}

static void hear_first_byte(struct connection *it) {
  unsigned char byte;
  ssize_t received = recv(it->client.fd, &byte, 1, MSG_PEEK);
  if (received < 0 && errno == EAGAIN) return;
  if (received < 1) return end_connection(it);
  send_to(it, it->group->choose(byte), PATIENCE);
}

// What happens

static void client_happened(struct watch *watch, uint32_t events) {
  struct connection *it = OWNER(struct connection, client, watch);
  if (it->state == OPEN) return exchange(it, events, 0);
  if (it->state == SILENT) return hear_first_byte(it);
  if (it->state != LEAVING || !discard(it->client.fd)) end_connection(it);
}

static void server_happened(struct watch *watch, uint32_t events) {
  struct connection *it = OWNER(struct connection, server, watch);
  if (it->state == OPEN) exchange(it, 0, events);
  else is_settled(it);
}

void add_connection(int client, struct group *group, struct destination *to, enum delay patience) {
  struct connection *it = malloc(sizeof *it);
  if (!it) {
    close(client);
    return;
  }
  *it = (struct connection){.group = group, .next = group->first, .state = SILENT};
  it->client = (struct watch){.fd = client, .happen = client_happened};
  it->server = (struct watch){.fd = -1, .happen = server_happened};
  if (group->first) group->first->previous = it;
  group->first = it;
  group->count++;
  connection_count++;
  if (to) return send_to(it, to, patience);
  set_timer(&it->patience, SILENCE, patience_is_over);
  if (!watch_for(&it->client, EPOLLIN)) end_connection(it);
}
