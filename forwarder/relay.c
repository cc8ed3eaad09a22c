// Owns connections: each one that comes in is handed on to the proxy, both ways, by a single process that waits in poll().
#define _GNU_SOURCE
#include "relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dial.h"
#include "flow.h"

// How long a connection waits for a proxy that has just been started, or for its client to take in the end; and how often
// one looks. Milliseconds.
enum { PATIENCE = 5000, INTERVAL = 25 };

struct connection {
  struct connection *next;
  enum { WAITING, CONNECTING, OPEN, LEAVING, DEAD } state;
  int client, proxy;
  uint16_t port;
  int64_t give_up;
  struct flow up, down;
  int client_slot, proxy_slot;  // In the list that poll() gets; -1 for none.
};

static const struct route *route;
static struct connection *connections;
static int connection_count;
// A proxy that was not there for one connection is not there for the others: until then none asks again.
static int64_t try_at;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void send_at_once(int fd) {
  int yes = 1;
  // A unix socket does so anyway, and does not mind being told.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

// From a client to the proxy

static void start_flows(struct connection *it) {
  send_at_once(it->proxy);
  it->up.from = it->down.to = it->client;
  it->up.to = it->down.from = it->proxy;
  it->state = OPEN;
}

static void wait_for_proxy(struct connection *it) {
  it->proxy = -1;
  it->state = WAITING;
  try_at = now() + INTERVAL;
}

static void ask_for_proxy(struct connection *it) {
  bool connected;
  it->proxy = dial(route, it->port, &connected);
  if (it->proxy < 0) wait_for_proxy(it);
  else if (connected) start_flows(it);
  else it->state = CONNECTING;
}

static void finish_dialling(struct connection *it) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(it->proxy, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return start_flows(it);
  close(it->proxy);
  wait_for_proxy(it);
}

// A client that still sends may not have read its answer yet: closing now, with what it sent unread, would take that back.
static void leave(struct connection *it) {
  close(it->proxy);
  it->proxy = -1;
  it->give_up = now() + PATIENCE;
  it->state = discard(it->client) ? LEAVING : DEAD;
}

// Who has said all it will is "ready" only when it does not listen any more either.
static bool has_left(short happened, const struct flow *from) {
  return from->closed && (happened & (POLLERR | POLLHUP));
}

static void exchange(struct connection *it, short client, short proxy) {
  struct flow *up = &it->up, *down = &it->down;
  bool sound = true;
  // A socket that has ended or failed is "ready": reading or writing it says which.
  if (proxy && up->rest) drain(up);
  if (client && down->rest) drain(down);
  if (client && !up->rest && !up->closed) sound = fill(up);
  if (proxy && !down->rest && !down->closed) sound = fill(down) && sound;
  if (!sound || has_left(client, up)) it->state = DEAD;
  else if ((up->closed && down->closed) || has_left(proxy, down)) leave(it);
}

// What poll() is asked

static struct pollfd *slots;
static int slot_count, slot_room;

static bool make_room_for_slots(int count) {
  if (count <= slot_room) return true;
  struct pollfd *more = realloc(slots, 2 * count * sizeof *more);
  if (!more) return false;
  slots = more;
  slot_room = 2 * count;
  return true;
}

static int add_slot(int fd, short events) {
  slots[slot_count] = (struct pollfd){.fd = fd, .events = events};
  return slot_count++;
}

static int add_peer_slot(int fd, const struct flow *in, const struct flow *out) {
  short events = (in->rest || in->closed ? 0 : POLLIN) | (out->rest ? POLLOUT : 0);
  // That a peer has left is reported unasked, and without end: listen for it only where has_left() ends it.
  return events || in->closed ? add_slot(fd, events) : -1;
}

// Milliseconds until somebody has to look again; -1 for never.
static int list_slots(void) {
  int timeout = -1;
  for (struct connection *it = connections; it; it = it->next) {
    if (it->state == OPEN) {
      it->client_slot = add_peer_slot(it->client, &it->up, &it->down);
      it->proxy_slot = add_peer_slot(it->proxy, &it->down, &it->up);
    } else {
      it->client_slot = add_slot(it->client, it->state == LEAVING ? POLLIN : 0);
      it->proxy_slot = it->state == CONNECTING ? add_slot(it->proxy, POLLOUT) : -1;
      timeout = INTERVAL;
    }
  }
  return timeout;
}

static short happened(int slot) { return slot < 0 ? 0 : slots[slot].revents; }

// The connections there are

static void advance(struct connection *it) {
  short client = happened(it->client_slot), proxy = happened(it->proxy_slot);
  if (it->state == OPEN) return exchange(it, client, proxy);
  bool gone = client && (it->state != LEAVING || !discard(it->client));
  if (gone || now() >= it->give_up) it->state = DEAD;
  else if (it->state == CONNECTING && proxy) finish_dialling(it);
  else if (it->state == WAITING && now() >= try_at) ask_for_proxy(it);
}

static bool add_connection(int client, uint16_t port, int listener_count) {
  // Beforehand, so that no connection ever lacks one.
  if (!make_room_for_slots(listener_count + 2 * (connection_count + 1))) return false;
  struct connection *it = malloc(sizeof *it);
  if (!it) return false;
  *it = (struct connection){.next = connections, .client = client, .proxy = -1, .port = port};
  it->give_up = now() + PATIENCE;
  connections = it;
  connection_count++;
  send_at_once(client);
  if (now() >= try_at) ask_for_proxy(it);
  return true;
}

// False when there is no room for more.
static bool accept_one(const struct listener *listener, int listener_count) {
  int client = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) return errno == EAGAIN;
  if (add_connection(client, listener->port, listener_count)) return true;
  close(client);
  return false;
}

static void bury_the_dead(void) {
  for (struct connection **at = &connections; *at;) {
    struct connection *it = *at;
    if (it->state != DEAD) {
      at = &it->next;
      continue;
    }
    *at = it->next;
    connection_count--;
    close(it->client);
    if (it->proxy >= 0) close(it->proxy);
    drop_rest(&it->up);
    drop_rest(&it->down);
    free(it);
  }
}

void relay(const struct route *the_route, const struct listener *listeners, int listener_count) {
  route = the_route;
  bool full = false;
  if (!make_room_for_slots(listener_count)) _exit(1);
  for (;;) {
    slot_count = 0;
    // Out of descriptors or memory: those who knock wait a little, and so do we.
    for (int i = 0; i < listener_count; i++) add_slot(listeners[i].fd, full ? 0 : POLLIN);
    int timeout = list_slots();
    if (poll(slots, slot_count, full ? INTERVAL : timeout) < 0 && errno != EINTR) _exit(1);
    for (struct connection *it = connections; it; it = it->next) advance(it);
    bury_the_dead();
    full = false;
    for (int i = 0; i < listener_count; i++)
      if (slots[i].revents && !accept_one(&listeners[i], listener_count)) full = true;
  }
}
