// What listens in here.
#include <stdbool.h>
#include <stdint.h>

// Tells each port that a server listens on at an address that is asked. False when that could not be found out.
bool list_listening(void (*found)(uint16_t port));
