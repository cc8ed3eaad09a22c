// Where connections are to go, and the line of those that wait until somebody is there.
#ifndef DESTINATION_H
#define DESTINATION_H
#include "loop.h"

struct connection;

struct destination {
  const char *path;  // Of the unix socket that is asked first; NULL for whoever listens on the port in here.
  const char *host;  // Whose port is asked when nobody listens there; NULL for nobody's.
  uint16_t port;
  int users;  // Who needs it to be there: connections, and whoever holds it.
  // While somebody waits, one asks for all of them:
  struct connection *first, *last;
  struct connection *asking;  // the one that has asked and has no answer yet,
  struct timer again;         // or the first in line, when this rings.
};

// It is freed when nobody needs it any more.
struct destination *new_destination(void);
void hold(struct destination *destination);
void let_go(struct destination *destination);

// Asks at once or, where others wait for an answer, waits with them.
void stand_in_line(struct connection *connection);
void stand_first(struct connection *connection);
void leave_line(struct connection *connection);

// That somebody has taken a connection, and those in line may ask: serve_line() lets them.
void is_answered(struct destination *destination);
void serve_line(struct destination *destination);

// That this connection does not ask any more.
void forget_asking(struct connection *connection);
#endif
