// Owns finding out what listens in here. The kernel is asked for that alone: its lists of all connections take
// milliseconds to read even where there are none, for they are made from a table of the whole machine's.
#define _GNU_SOURCE
#include "listening.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// The state of a socket that does, as the kernel numbers them.
enum { LISTENS = 10 };

// An engine's name server, for one, has another address of the loopback's than we ask.
static bool is_asked(uint32_t ipv4) { return ipv4 == INADDR_LOOPBACK || ipv4 >> 24 != 127; }

// By asking the kernel

static bool ask_for(int fd, unsigned char family) {
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
  } question = {
      .header.nlmsg_len = sizeof question,
      .header.nlmsg_type = SOCK_DIAG_BY_FAMILY,
      .header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
      .body = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 1 << LISTENS},
  };
  return send(fd, &question, sizeof question, 0) == sizeof question;
}

static void tell(const struct inet_diag_msg *answer, void (*found)(uint16_t port)) {
  if (answer->idiag_family == AF_INET && !is_asked(ntohl(answer->id.idiag_src[0]))) return;
  found(ntohs(answer->id.idiag_sport));
}

static bool read_answers(int fd, void (*found)(uint16_t port)) {
  // A piece of an answer is no larger.
  static _Alignas(struct nlmsghdr) char piece[16384];
  for (;;) {
    // It never waits: the kernel answers at once.
    ssize_t size = recv(fd, piece, sizeof piece, MSG_TRUNC);
    if (size <= 0 || size > (ssize_t)sizeof piece) return false;
    for (struct nlmsghdr *it = (struct nlmsghdr *)piece; NLMSG_OK(it, size); it = NLMSG_NEXT(it, size)) {
      if (it->nlmsg_type == NLMSG_DONE) return true;
      if (it->nlmsg_type != SOCK_DIAG_BY_FAMILY) return false;
      if (it->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg))) return false;
      tell(NLMSG_DATA(it), found);
    }
  }
}

static bool ask_kernel(void (*found)(uint16_t port)) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return false;
  bool known = ask_for(fd, AF_INET) && read_answers(fd, found) && ask_for(fd, AF_INET6) && read_answers(fd, found);
  close(fd);
  return known;
}

// By reading its lists, where it does not answer

static void read_line(const char *line, void (*found)(uint16_t port)) {
  char address[33];
  unsigned port, state, ipv4;
  if (sscanf(line, " %*d: %32[0-9A-F]:%4X %*[0-9A-F]:%*4X %2X", address, &port, &state) != 3) return;
  if (state != LISTENS) return;
  // As it is in memory, read as a number.
  if (strlen(address) == 8 && sscanf(address, "%8X", &ipv4) == 1 && !is_asked(ntohl(ipv4))) return;
  found((uint16_t)port);
}

static bool read_list(const char *path, void (*found)(uint16_t port)) {
  char line[256];
  FILE *list = fopen(path, "re");
  if (!list) return false;
  while (fgets(line, sizeof line, list)) read_line(line, found);
  fclose(list);
  return true;
}

bool list_listening(void (*found)(uint16_t port)) {
  if (ask_kernel(found)) return true;
  bool known = read_list("/proc/net/tcp", found);
  // Many containers have no IPv6.
  read_list("/proc/net/tcp6", found);
  return known;
}
