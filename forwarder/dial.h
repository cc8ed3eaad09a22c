// The ways to a destination.
#include <stdbool.h>

struct destination;

// Asks from the way with the number *step on, and leaves there which one took it. A socket that is connected or, which
// only waiting then tells, about to be. -1 when nobody takes the connection now; errno is EAGAIN if there is somebody all
// the same.
int dial(const struct destination *destination, unsigned *step, bool *connected);

// 0 when a socket that was about to be connected is.
int failure_of(int fd);
