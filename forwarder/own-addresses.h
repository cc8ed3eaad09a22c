// The addresses at which a server in here may listen, in the order in which they are asked.
#include <stdint.h>
#include <sys/socket.h>

// The size of the address with this number; 0 when there is none.
socklen_t own_address(unsigned number, uint16_t port, struct sockaddr_storage *address);
