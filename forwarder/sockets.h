// Making sockets that listen.
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

// The loopback or, for others, every address.
enum reach { LOOPBACK, EVERYWHERE };

// All return a descriptor, or -1 and errno.
int listen_on_ipv4(uint16_t port, enum reach reach);
int listen_on_ipv6(uint16_t port, enum reach reach);

// Removes what was there under that name. Its mode is what the umask leaves of 0777.
int listen_on_path(const char *path);

// Not too long: cut off, it would be somebody else's.
bool is_path_of_socket(const char *path);

// As many as this process may have.
void raise_descriptor_limit(void);
