// The socket by which the supervisor tells this process what to do.
#include <stdbool.h>

// False, and errno, when there can be none.
bool open_control(const char *path, const char *id);
void close_control(void);
