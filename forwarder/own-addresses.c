// Owns where a server in here may listen: on the loopback of either kind, or where others reach this container.
#define _GNU_SOURCE
#include "own-addresses.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "loop.h"

enum { IPV4_LOOPBACK, IPV6_LOOPBACK, FIRST_OTHER, MOST_OTHERS = 32 };

static union {
  struct sockaddr_in ipv4;
  struct sockaddr_in6 ipv6;
} others[MOST_OTHERS];
static unsigned other_count;

static void add(const struct ifaddrs *found, int family) {
  for (; found; found = found->ifa_next) {
    if (!found->ifa_addr || found->ifa_addr->sa_family != family || other_count == MOST_OTHERS) continue;
    if ((found->ifa_flags & IFF_LOOPBACK) || !(found->ifa_flags & IFF_UP)) continue;
    size_t size = family == AF_INET ? sizeof others->ipv4 : sizeof others->ipv6;
    memcpy(&others[other_count++], found->ifa_addr, size);
  }
}

// A container comes into networks and leaves them while it runs. Those who wait ask at intervals, for many ports perhaps.
static void look_again(void) {
  static int64_t next_look;
  struct ifaddrs *found;
  if (now() < next_look) return;
  next_look = now() + INTERVAL;
  other_count = 0;
  if (getifaddrs(&found) != 0) return;
  add(found, AF_INET);
  add(found, AF_INET6);
  freeifaddrs(found);
}

socklen_t own_address(unsigned number, uint16_t port, struct sockaddr_storage *address) {
  struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  if (number == FIRST_OTHER) look_again();
  bool is_other = number >= FIRST_OTHER;
  if (is_other && number - FIRST_OTHER >= other_count) return 0;
  bool is_ipv4 = is_other ? others[number - FIRST_OTHER].ipv4.sin_family == AF_INET : number == IPV4_LOOPBACK;
  if (is_other && is_ipv4) ipv4 = others[number - FIRST_OTHER].ipv4;
  if (is_other && !is_ipv4) ipv6 = others[number - FIRST_OTHER].ipv6;
  ipv4.sin_port = ipv6.sin6_port = htons(port);
  memcpy(address, is_ipv4 ? (void *)&ipv4 : (void *)&ipv6, is_ipv4 ? sizeof ipv4 : sizeof ipv6);
  return is_ipv4 ? sizeof ipv4 : sizeof ipv6;
}
