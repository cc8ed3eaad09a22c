// Owns connections: each one that comes in is handed on to the proxy, both ways, by a single process that waits in poll().
#define _GNU_SOURCE
#include "relay.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// What one way of a connection holds while its reader is slower than its writer. Bytes.
enum { BUFFER = 32768 };
// How long a connection waits for a proxy that has just been started, and how often it looks. Milliseconds.
enum { PATIENCE = 5000, INTERVAL = 25 };

// One way of a connection.
struct flow {
  int from, to;
  size_t start, end;  // What `to` has yet to take, in `data`.
  bool ended;         // `from` sends no more.
  bool closed;        // `to` has been told so.
  char data[BUFFER];
};

struct connection {
  struct connection *next;
  enum { WAITING, CONNECTING, OPEN, DEAD } state;
  int client, proxy;
  uint16_t port;
  int64_t give_up, try_at;
  struct flow up, down;
  int client_slot, proxy_slot;  // In the list that poll() gets; -1 for none.
};

static const struct route *route;
static struct connection *connections;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// The way to the proxy

static int dial_socket(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, route->socket, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

static int dial_host(uint16_t port) {
  char service[6];
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
  snprintf(service, sizeof service, "%u", port);
  if (getaddrinfo(route->host, service, &hints, &found) != 0) return -1;
  int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) {
    close(fd);
    fd = -1;
  }
  freeaddrinfo(found);
  return fd;
}

static void start_flows(struct connection *it) {
  int yes = 1;
  setsockopt(it->proxy, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);  // Not for a unix socket, which does not mind.
  it->up.from = it->down.to = it->client;
  it->up.to = it->down.from = it->proxy;
  it->state = OPEN;
}

static void wait_for_proxy(struct connection *it) {
  it->proxy = -1;
  it->try_at = now() + INTERVAL;
  it->state = now() < it->give_up ? WAITING : DEAD;
}

static void dial(struct connection *it) {
  it->proxy = dial_socket();
  if (it->proxy >= 0) return start_flows(it);
  if (route->host) it->proxy = dial_host(it->port);
  if (it->proxy < 0) return wait_for_proxy(it);
  it->state = CONNECTING;
}

static void finish_dialling(struct connection *it) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(it->proxy, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return start_flows(it);
  close(it->proxy);
  wait_for_proxy(it);
}

// What flows through

static bool is_empty(const struct flow *flow) { return flow->start == flow->end; }

// False when the connection is broken.
static bool drain(struct flow *flow) {
  while (!is_empty(flow)) {
    ssize_t sent = send(flow->to, flow->data + flow->start, flow->end - flow->start, MSG_NOSIGNAL);
    if (sent < 0) return would_block(errno);
    flow->start += sent;
  }
  if (flow->ended && !flow->closed) {
    shutdown(flow->to, SHUT_WR);
    flow->closed = true;
  }
  return true;
}

static bool fill(struct flow *flow) {
  ssize_t received = recv(flow->from, flow->data, BUFFER, 0);
  if (received < 0) return would_block(errno);
  flow->start = 0;
  flow->end = received;
  flow->ended = received == 0;
  return drain(flow);
}

static short wanted(const struct flow *in, const struct flow *out) {
  return (is_empty(in) && !in->ended ? POLLIN : 0) | (is_empty(out) ? 0 : POLLOUT);
}

static void advance(struct connection *it, short client, short proxy) {
  struct flow *up = &it->up, *down = &it->down;
  bool sound = true;
  // A socket that has ended or failed is "ready": reading or writing it says which.
  if (client && is_empty(up) && !up->ended) sound = sound && fill(up);
  if (proxy && is_empty(down) && !down->ended) sound = sound && fill(down);
  if (proxy && !is_empty(up)) sound = sound && drain(up);
  if (client && !is_empty(down)) sound = sound && drain(down);
  if (!sound || (up->closed && down->closed)) it->state = DEAD;
}

// The connections there are

static bool accept_from(const struct listener *listener) {
  int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return would_block(errno) || errno == ECONNABORTED;
  struct connection *it = calloc(1, sizeof *it);
  if (!it) {
    close(fd);
    return false;
  }
  int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  it->client = fd;
  it->port = listener->port;
  it->give_up = now() + PATIENCE;
  it->next = connections;
  connections = it;
  dial(it);
  return true;
}

// True when there were any.
static bool bury_the_dead(void) {
  bool any = false;
  for (struct connection **at = &connections; *at;) {
    struct connection *it = *at;
    if (it->state != DEAD) {
      at = &it->next;
      continue;
    }
    *at = it->next;
    close(it->client);
    if (it->proxy >= 0) close(it->proxy);
    free(it);
    any = true;
  }
  return any;
}

static struct pollfd *slots;
static int slot_count, slot_room;

static int add_slot(int fd, short events) {
  if (events == 0) return -1;
  if (slot_count == slot_room) {
    int room = slot_room ? 2 * slot_room : 64;
    struct pollfd *more = realloc(slots, room * sizeof *more);
    if (!more) return -1;
    slots = more;
    slot_room = room;
  }
  slots[slot_count] = (struct pollfd){.fd = fd, .events = events};
  return slot_count++;
}

static short happened(int slot) { return slot < 0 ? 0 : slots[slot].revents; }

// Asks the kernel what can go on; the time until somebody has to look again. Milliseconds, -1 for never.
static int list_slots(void) {
  int timeout = -1;
  for (struct connection *it = connections; it; it = it->next) {
    it->client_slot = it->proxy_slot = -1;
    if (it->state == WAITING) timeout = INTERVAL;
    if (it->state == CONNECTING) it->proxy_slot = add_slot(it->proxy, POLLOUT);
    if (it->state == OPEN) {
      it->client_slot = add_slot(it->client, wanted(&it->up, &it->down));
      it->proxy_slot = add_slot(it->proxy, wanted(&it->down, &it->up));
    }
  }
  return timeout;
}

void relay(const struct route *the_route, const struct listener *listeners, int listener_count) {
  route = the_route;
  bool full = false;
  for (;;) {
    slot_count = 0;
    // Out of descriptors or memory: those that are waiting to be accepted keep, until a connection ends.
    for (int i = 0; i < listener_count; i++) add_slot(listeners[i].fd, full ? 0 : POLLIN);
    int first = slot_count;
    int timeout = list_slots();
    if (poll(slots, slot_count, timeout) < 0 && errno != EINTR) _exit(1);
    for (struct connection *it = connections; it; it = it->next) {
      if (it->state == WAITING && now() >= it->try_at) dial(it);
      else if (it->state == CONNECTING && happened(it->proxy_slot)) finish_dialling(it);
      else if (it->state == OPEN) advance(it, happened(it->client_slot), happened(it->proxy_slot));
    }
    if (bury_the_dead()) full = false;
    for (int i = 0; i < first; i++)
      if (slots[i].revents && !accept_from(&listeners[i])) full = connections != NULL;
  }
}
