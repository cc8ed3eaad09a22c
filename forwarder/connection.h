// Connections: each comes from a client, waits for somebody who takes it, and is then carried both ways.
#ifndef CONNECTION_H
#define CONNECTION_H
#include "flow.h"
#include "loop.h"

struct destination;

// Connections that have their limit and their beginning in common.
struct group {
  int limit, count;
  struct connection *first;
  const void *greeting;  // What the destination is told before anything else.
  size_t greeting_size;
  // Where a connection is to go whose client's first byte is this; NULL when that is known beforehand.
  struct destination *(*choose)(unsigned char byte);
};

struct connection {
  struct group *group;
  struct connection *next, *previous;  // In the group.
  struct connection *ahead, *behind;   // In line at the destination.
  struct destination *to;
  enum { SILENT, WAITING, ASKING, OPEN, LEAVING } state;
  unsigned step;  // Which way to the destination was asked last.
  struct watch client, server;
  struct flow up, down;
  struct timer patience, attempt;
};

// All there are.
extern int connection_count;

// Takes over a socket. With no patience it is closed unless somebody is there at once.
void add_connection(int client, struct group *group, struct destination *to, enum delay patience);
void ask(struct connection *connection);
void end_connection(struct connection *connection);
#endif
