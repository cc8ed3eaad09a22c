// Owns sockets under names that others may take over or delete at any time.
#define _GNU_SOURCE
#include "bound.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sockets.h"

int bind_in_place(struct bound *it, const char *name, mode_t mode) {
  char beside[64], path[108];
  struct stat status;
  // By way of the descriptor: the directory cannot be exchanged for another, and its own path may be long.
  snprintf(beside, sizeof beside, ".new-%d", getpid());
  snprintf(path, sizeof path, "/proc/self/fd/%d/%s", it->directory, beside);
  mode_t mask = umask(0777 & ~mode);
  int fd = listen_on_path(path);
  umask(mask);
  if (fd < 0) return -1;
  if (fstatat(it->directory, beside, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      renameat(it->directory, beside, it->directory, name) == 0) {
    it->device = status.st_dev;
    it->inode = status.st_ino;
    return fd;
  }
  int error = errno;
  unlinkat(it->directory, beside, 0);
  close(fd);
  errno = error;
  return -1;
}

bool is_in_place(const struct bound *it, const char *name) {
  struct stat status;
  if (it->inode == 0 || fstatat(it->directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
  return status.st_dev == it->device && status.st_ino == it->inode;
}

void remove_from_place(const struct bound *it, const char *name) {
  if (is_in_place(it, name)) unlinkat(it->directory, name, 0);
}
