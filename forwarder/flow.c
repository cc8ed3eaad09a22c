// Owns moving bytes from one socket to another, which may be slower and may end before the first does.
#define _GNU_SOURCE
#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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

bool fill(struct flow *flow) {
  ssize_t received = recv(flow->from, chunk, sizeof chunk, 0);
  if (received < 0 && would_block(errno)) return true;
  ssize_t sent = received > 0 ? send_some(flow->to, chunk, received) : -1;
  if (sent < 0) close_flow(flow);
  if (sent < 0 || sent == received) return true;
  flow->start = 0;
  flow->end = received - sent;
  flow->rest = malloc(flow->end);
  if (!flow->rest) return false;
  memcpy(flow->rest, chunk + sent, flow->end);
  return true;
}

bool discard(int from) {
  ssize_t received = recv(from, chunk, sizeof chunk, 0);
  return received > 0 || (received < 0 && would_block(errno));
}
