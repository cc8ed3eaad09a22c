// Owns things that are made when they are first needed, as schemas are: to make all that there are takes longer than to use the few that
// a command comes to.

export function needed<T>(make: () => T): () => T {
  let made: { it: T } | undefined
  return () => {
    made ??= { it: make() }
    return made.it
  }
}
