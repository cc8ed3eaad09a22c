// Owns moving bytes from one socket to another, which may be slower and may end before the first does.
#define _GNU_SOURCE
#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "pipe.h"

// Where all that is read arrives: a connection has memory of its own only while its reader is slower than its writer.
static char chunk[65536];

static bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

void drop_rest(struct flow *flow) {
  free(flow->rest);
  flow->rest = NULL;
}

// The other way goes on: who takes no more of a question may still answer it.
static void close_flow(struct flow *flow) {
  drop_rest(flow);
  shutdown(flow->to, SHUT_WR);
  flow->closed = true;
}

// How many bytes were taken; -1 when no more ever will be.
static ssize_t send_some(int to, const char *data, size_t size) {
  ssize_t sent = send(to, data, size, MSG_NOSIGNAL);
  return sent < 0 && would_block(errno) ? 0 : sent;
}

void drain(struct flow *flow) {
  ssize_t sent = send_some(flow->to, flow->rest + flow->start, flow->end - flow->start);
  if (sent < 0) return close_flow(flow);
  flow->start += sent;
  if (flow->start == flow->end) drop_rest(flow);
}

// False when there is no memory for it.
static bool make_rest(struct flow *flow, size_t size) {
  flow->start = 0;
  flow->end = size;
  flow->rest = malloc(size);
  return flow->rest != NULL;
}

static bool fill_by_copying(struct flow *flow) {
  ssize_t received = recv(flow->from, chunk, sizeof chunk, 0);
  if (received < 0 && would_block(errno)) return true;
  flow->is_much = received == sizeof chunk;
  ssize_t sent = received > 0 ? send_some(flow->to, chunk, received) : -1;
  if (sent < 0) close_flow(flow);
  if (sent < 0 || sent == received) return true;
  if (!make_rest(flow, received - sent)) return false;
  memcpy(flow->rest, chunk + sent, flow->end);
  return true;
}

// As much as `to` will take, so that there is no rest; but never so little that one would be busy with it all the time.
static size_t room_for(struct flow *flow) {
  if (flow->most_unread == 0) flow->most_unread = widen(flow->to);
  int room = flow->most_unread - unread(flow->to);
  return room > PIECE ? PIECE : room > (int)sizeof chunk ? (size_t)room : sizeof chunk;
}

bool fill(struct flow *flow) {
  size_t left, received = flow->is_much ? carry(flow->from, flow->to, room_for(flow), &left) : 0;
  if (received == 0) return fill_by_copying(flow);
  flow->is_much = received >= sizeof chunk / 2;
  if (left == 0) return true;
  // What has failed says so when it is to take the rest.
  make_rest(flow, left);
  return take_left(flow->rest, left);
}

bool discard(int from) {
  ssize_t received = recv(from, chunk, sizeof chunk, 0);
  return received > 0 || (received < 0 && would_block(errno));
}
