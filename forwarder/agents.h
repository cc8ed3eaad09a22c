// The agents there are, each with a socket of its own.
#include <stdbool.h>

struct destination;

extern int agent_count;

// `directory` has one for each agent. What begins as TLS does goes to `tls`, the rest to `plain`.
void serve_agents(const char *directory, int limit, struct destination *tls, struct destination *plain);

// Looks which agents there are, and gives every one its socket.
void scan_agents(void);

// Takes no more connections from any.
void leave_agents(void);
