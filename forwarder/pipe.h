// Carrying much at once from one socket to another.
#ifndef PIPE_H
#define PIPE_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// No more than this is carried at once.
enum { PIECE = 262144 };

// Hands on what `from` has, up to a size. Returns how many bytes that were, and how many of them `to` did not take: those wait for
// take_left(), before anything else is carried. Nothing, for whatever reason, is 0: reading tells which.
size_t carry(int from, int to, size_t most, size_t *left);
// False when they are lost.
bool take_left(char *into, size_t size);

// How many bytes a socket may have that its reader has not. Where more than usual makes sense, it is given that.
int widen(int to);
// How many of them there are.
int unread(int to);

// It is opened when it is needed.
void close_pipe(void);
#endif
