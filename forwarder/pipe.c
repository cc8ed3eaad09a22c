// Owns the pipe through which much is carried: the kernel hands memory from socket to pipe to socket, and copies none of it. One does
// for all connections, since it is empty again before anybody else has his turn.
#define _GNU_SOURCE
#include "pipe.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  // Who has many pipes is given small ones, which are worth nothing here.
  LEAST = 65536,
  // Twice as much as a unix socket has: each time that its reader has to wait for us, he is woken for more. Any kernel allows it.
  BUFFER = 212992,
};

static int ends[2] = {-1, -1};
// Asking again for each piece would cost more than copying it: not before all connections have ended.
static bool is_refused;

void close_pipe(void) {
  for (int i = 0; i < 2; i++)
    if (ends[i] >= 0) close(ends[i]);
  ends[0] = ends[1] = -1;
  is_refused = false;
}

static bool open_pipe(void) {
  if (ends[0] >= 0) return true;
  if (is_refused) return false;
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
    fcntl(ends[1], F_SETPIPE_SZ, PIECE);
    if (fcntl(ends[1], F_GETPIPE_SZ) >= LEAST) return true;
    close_pipe();
  }
  is_refused = true;
  return false;
}

size_t carry(int from, int to, size_t most, size_t *left) {
  *left = 0;
  if (!open_pipe()) return 0;
  ssize_t taken = splice(from, NULL, ends[1], NULL, most, SPLICE_F_NONBLOCK);
  if (taken <= 0) return 0;
  ssize_t sent = 0;
  for (*left = taken; *left > 0; *left -= sent)
    if ((sent = splice(ends[0], NULL, to, NULL, *left, SPLICE_F_NONBLOCK)) <= 0) break;
  return taken;
}

bool take_left(char *into, size_t size) {
  if (into && read(ends[0], into, size) == (ssize_t)size) return true;
  close_pipe();
  return false;
}

int widen(int to) {
  int domain = 0, buffer = BUFFER;
  socklen_t size = sizeof domain;
  // TCP finds out by itself how much makes sense, as long as nobody says so.
  if (getsockopt(to, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) return LEAST;
  setsockopt(to, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  size = sizeof buffer;
  return getsockopt(to, SOL_SOCKET, SO_SNDBUF, &buffer, &size) == 0 ? buffer : LEAST;
}

int unread(int to) {
  int count = 0;
  return ioctl(to, SIOCOUTQ, &count) == 0 ? count : 0;
}
