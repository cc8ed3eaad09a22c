// Owns `forward connect`: a connection to a host, by way of the gate, as input and output. It is what ssh takes as ProxyCommand.
//
//   forward connect PATH HOST PORT
//
// PATH is the unix socket at which the gate listens for this container. It is asked with CONNECT; when it refuses, what it says
// goes to the errors, where a person reads it.
#define _GNU_SOURCE
#include "connect.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "options.h"
#include "sockets.h"

enum { LONGEST_HEAD = 16384, FAILURE = 1 };

static char chunk[65536];

static int fail(const char *what, const char *why) {
  fprintf(stderr, "moat: %s: %s\n", what, why);
  return FAILURE;
}

static bool write_all(int to, const char *data, size_t size) {
  while (size > 0) {
    ssize_t written = write(to, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    size -= written;
  }
  return true;
}

// The head alone, byte by byte: what follows it is the host's. False at an end or where it is too long.
static bool read_head(int from, char head[LONGEST_HEAD + 1]) {
  size_t size = 0;
  while (size < LONGEST_HEAD) {
    ssize_t received = read(from, head + size, 1);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return false;
    head[++size] = '\0';
    if (size >= 4 && memcmp(head + size - 4, "\r\n\r\n", 4) == 0) return true;
  }
  return false;
}

static int tell_refusal(int gate, const char *host) {
  ssize_t size = read(gate, chunk, sizeof chunk - 1);
  chunk[size > 0 ? size : 0] = '\0';
  chunk[strcspn(chunk, "\n")] = '\0';
  return fail(host, *chunk ? chunk : "refused");
}

static bool copy(int from, int to) {
  for (;;) {
    ssize_t received = read(from, chunk, sizeof chunk);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return received == 0;
    if (!write_all(to, chunk, received)) return false;
  }
}

// A process for each way: neither waits while the other cannot go on. Over is what the host has closed.
static int carry(int gate) {
  pid_t child = fork();
  if (child < 0) return fail("fork", strerror(errno));
  if (child == 0) {
    copy(STDIN_FILENO, gate);
    shutdown(gate, SHUT_WR);
    _exit(0);
  }
  close(STDIN_FILENO);
  bool whole = copy(gate, STDOUT_FILENO);
  kill(child, SIGKILL);
  return whole ? 0 : FAILURE;
}

int connect_to_host(int count, char **arguments) {
  char head[LONGEST_HEAD + 1];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (count != 3 || !is_path_of_socket(arguments[0])) {
    fprintf(stderr, "usage: forward connect PATH HOST PORT\n");
    return USAGE;
  }
  signal(SIGPIPE, SIG_IGN);
  const char *host = arguments[1], *port = arguments[2];
  strcpy(address.sun_path, arguments[0]);
  int gate = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (gate < 0 || connect(gate, (struct sockaddr *)&address, sizeof address) != 0) return fail(host, strerror(errno));
  const char *open = strchr(host, ':') ? "[" : "", *close = *open ? "]" : "";
  int size = snprintf(head, sizeof head, "CONNECT %s%s%s:%s HTTP/1.1\r\nHost: %s%s%s:%s\r\n\r\n", open, host, close, port,
                      open, host, close, port);
  if (size >= (int)sizeof head) return fail(host, strerror(ENAMETOOLONG));
  if (!write_all(gate, head, size) || !read_head(gate, head)) return fail(host, "the gate does not answer");
  if (strncmp(head, "HTTP/1.1 200 ", 13) != 0) return tell_refusal(gate, host);
  return carry(gate);
}
