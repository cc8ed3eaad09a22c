// A unix socket under a name in a directory, and whether it is still the one that we put there.
#ifndef BOUND_H
#define BOUND_H
#include <stdbool.h>
#include <sys/types.h>

struct bound {
  int directory;  // -1 for none.
  dev_t device;
  ino_t inode;
};

// Puts it in the place of what was there. At no time is there nothing. Returns the socket, or -1 and errno.
int bind_in_place(struct bound *bound, const char *name, mode_t mode);
bool is_in_place(const struct bound *bound, const char *name);
void remove_from_place(const struct bound *bound, const char *name);
#endif
