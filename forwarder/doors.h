// What forward.c and control.c ask of doors.c.
#include <stdnoreturn.h>

// Keeps the doors between the containers and the proxy, until it is told to stop.
noreturn void doors(int count, char **arguments);

// Takes no more connections; ends when those that there are have.
void stop_doors(void);

// A line for whoever reads our stderr. Not every one: what goes wrong may go wrong a thousand times a second.
void report(const char *what, const char *why);
