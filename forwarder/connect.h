// What forward.c asks of connect.c.
#ifndef CONNECT_H
#define CONNECT_H

// Carries input and output to a host, until either ends. Returns what to exit with.
int connect_to_host(int count, char **arguments);
#endif
