// Owns the doors of agents: a socket in the directory of each, and what the proxy is told of who comes in at it.
#define _GNU_SOURCE
#include "agents.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bound.h"
#include "doors.h"
#include "listener.h"

enum { NAME_SIZE = sizeof "run_0123456789ab", HEADER_SIZE = 52 };
// The first byte of a TLS connection.
enum { TLS_HANDSHAKE = 0x16 };

static const char door[] = "proxy.sock";

struct agent {
  struct agent *next;
  char name[NAME_SIZE];
  bool is_there;  // As of this look.
  struct stat directory;
  struct bound bound;
  struct group group;
  struct listener listener;
  unsigned char header[HEADER_SIZE];
};

int agent_count;
static struct agent *agents;
static const char *directory;
static int most_connections;
static struct destination *tls, *plain;

static struct destination *choose(unsigned char byte) { return byte == TLS_HANDSHAKE ? tls : plain; }

static bool is_name(const char *name) {
  return strlen(name) == NAME_SIZE - 1 && strncmp(name, "run_", 4) == 0 && strspn(name + 4, "0123456789abcdef") == 12;
}

static unsigned char digit(char letter) { return letter <= '9' ? letter - '0' : letter - 'a' + 10; }

// PROXY protocol, version 2: a connection from port 1 of an address that is the agent's id to port 1 of ::1.
static void write_header(unsigned char header[HEADER_SIZE], const char *name) {
  static const unsigned char start[] = "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24";
  memset(header, 0, HEADER_SIZE);
  memcpy(header, start, 16);
  for (int i = 0; i < 6; i++) header[16 + i] = digit(name[4 + 2 * i]) << 4 | digit(name[5 + 2 * i]);
  header[47] = header[49] = header[51] = 1;
}

static void close_door(struct agent *it) {
  if (it->listener.watch.fd >= 0) stop_listening(&it->listener);
}

static void open_door(struct agent *it) {
  if (it->listener.watch.fd >= 0 && is_in_place(&it->bound, door)) return;
  // The container's user may be anybody. Who is not in that container does not reach the directory.
  int fd = bind_in_place(&it->bound, door, 0666);
  if (fd < 0) return report(it->name, strerror(errno));
  close_door(it);
  if (!start_listening(&it->listener, fd)) report(it->name, strerror(errno));
}

static void add_agent(const char *name, int descriptor, const struct stat *status) {
  struct agent *it = calloc(1, sizeof *it);
  if (!it) {
    close(descriptor);
    return report(name, strerror(ENOMEM));
  }
  strcpy(it->name, name);
  it->is_there = true;
  it->directory = *status;
  it->bound.directory = descriptor;
  write_header(it->header, name);
  it->group = (struct group){
      .limit = most_connections, .greeting = it->header, .greeting_size = HEADER_SIZE, .choose = choose};
  it->listener = (struct listener){.watch.fd = -1, .group = &it->group};
  it->next = agents;
  agents = it;
  agent_count++;
  count_descriptors(1);
  open_door(it);
}

static void remove_agent(struct agent **at) {
  struct agent *it = *at;
  *at = it->next;
  close_door(it);
  while (it->group.first) end_connection(it->group.first);
  close(it->bound.directory);
  agent_count--;
  count_descriptors(-1);
  free(it);
}

static void is_found(const char *name, int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) {
    close(descriptor);
    return;
  }
  for (struct agent *it = agents; it; it = it->next) {
    // One of the same name in another directory is another: this one is gone.
    if (strcmp(it->name, name) != 0 || it->directory.st_dev != status.st_dev || it->directory.st_ino != status.st_ino)
      continue;
    close(descriptor);
    it->is_there = true;
    return open_door(it);
  }
  add_agent(name, descriptor, &status);
}

static void look_into(DIR *list) {
  for (struct dirent *entry; (entry = readdir(list));) {
    if (!is_name(entry->d_name)) continue;
    // Not by way of a link, which would make one agent's door another's.
    int descriptor = openat(dirfd(list), entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor >= 0) is_found(entry->d_name, descriptor);
    else if (errno != ENOENT && errno != ENOTDIR) report(entry->d_name, strerror(errno));
  }
}

void scan_agents(void) {
  DIR *list = opendir(directory);
  if (!list && errno != ENOENT) return report(directory, strerror(errno));
  for (struct agent *it = agents; it; it = it->next) it->is_there = false;
  if (list) {
    look_into(list);
    closedir(list);
  }
  for (struct agent **at = &agents; *at;) {
    if ((*at)->is_there) at = &(*at)->next;
    else remove_agent(at);
  }
}

void leave_agents(void) {
  for (struct agent *it = agents; it; it = it->next) {
    if (it->listener.watch.fd >= 0) remove_from_place(&it->bound, door);
    close_door(it);
  }
}

void serve_agents(const char *where, int limit, struct destination *to_tls, struct destination *to_plain) {
  directory = where;
  most_connections = limit;
  tls = to_tls;
  plain = to_plain;
  scan_agents();
}
