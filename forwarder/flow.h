// One way of a connection: what comes from one socket goes to another.
#ifndef FLOW_H
#define FLOW_H
#include <stdbool.h>
#include <stdint.h>

struct flow {
  int from, to;
  char *rest;           // What `to` has yet to take; NULL for nothing. Until then nothing more is read.
  uint32_t start, end;  // Where in `rest` that is.
  int most_unread;      // How many bytes `to` may have that its reader has not; 0 while that does not matter.
  bool is_much;         // More came last than is worth being copied.
  bool closed;          // `from` sends no more or `to` takes no more, and `to` knows.
};

// Reads once and hands on. False when there is no memory for what `to` does not take at once.
bool fill(struct flow *flow);

// Hands on more of the rest.
void drain(struct flow *flow);

// Reads once, for nobody. False when no more comes.
bool discard(int from);

void drop_rest(struct flow *flow);
#endif
