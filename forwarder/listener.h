// Sockets that listen.
#ifndef LISTENER_H
#define LISTENER_H
#include "connection.h"
#include "destination.h"

struct listener {
  struct watch watch;
  struct group *group;
  struct destination *to;
  enum delay patience;
  struct listener *next_paused;
  bool paused;
};

// How many descriptors this process may have, and has, apart from those of connections.
void count_descriptors(int more);

// Takes over a socket that listens.
bool start_listening(struct listener *listener, int fd);
void stop_listening(struct listener *listener);

// Those that wait until there is room may have it now.
void resume_listeners(void);
#endif
