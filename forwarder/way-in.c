// Owns the names of the sockets by which others reach what listens in here; how long each waits for it.
#include "way-in.h"

#include <stdio.h>

const struct way ways[WAYS] = {{"", PATIENCE}, {".quick", QUICK}, {".probe", 0}};

void path_of_way(char path[PATH_SIZE], const char *directory, uint16_t port, const struct way *way) {
  snprintf(path, PATH_SIZE, "%s/%u%s", directory, port, way->suffix);
}
