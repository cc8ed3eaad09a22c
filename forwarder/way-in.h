// The sockets by which others reach what listens on a port in here.
#ifndef WAY_IN_H
#define WAY_IN_H
#include <stdint.h>

#include "loop.h"

enum { WAYS = 3 };

struct way {
  const char *suffix;
  enum delay patience;
};

extern const struct way ways[WAYS];

// Its size is that of the longest path that a socket may have, and one that is too long shows.
enum { PATH_SIZE = 128 };
void path_of_way(char path[PATH_SIZE], const char *directory, uint16_t port, const struct way *way);
#endif
