// What forward is asked to do in a container.
#ifndef OPTIONS_H
#define OPTIONS_H
#include <stdbool.h>
#include <stdint.h>

// What shells exit with, too, when they are called wrongly.
enum { USAGE = 2 };

struct publication {
  uint16_t port;     // Where it listens.
  uint16_t leads_to;
};

// A port of the container's loopback, and the unix socket that it leads to.
struct lead {
  uint16_t port;
  const char *path;
};

struct options {
  uint16_t *ports;  // On which the proxy answers in here.
  int port_count;
  const char *socket, *host;  // Of the proxy; NULL for none.
  struct lead *leads;
  int lead_count;
  const char *in;             // The directory of the way in; NULL for none.
  uint16_t *served;
  int served_count;
  struct publication *published;
  int published_count;
  bool discover;
};

// Returns the index of PROGRAM, or does not.
int parse_options(int count, char **arguments, struct options *options);

// Whether we listen there ourselves: what is handed on to such a port would come back without end.
bool is_own_port(const struct options *options, uint16_t port);
bool is_served(const struct options *options, uint16_t port);
#endif
