// Owns that a process that lives for days and does little keeps little in memory.

/** What the start has left behind is let go of soon. Milliseconds. */
const afterStart = 5_000
const lookInterval = 60_000
/** A heap that has grown by less is not looked through again. Bytes. */
const worthwhile = 1_000_000

/** V8 lets go of memory when it needs more, and of what it does not use when it is asked. It is asked by --expose-gc. */
export function keepMemorySmall(collect = globalThis.gc, used = () => process.memoryUsage().heapTotal): void {
  if (!collect) return
  let smallest = 0
  const look = () => {
    if (used() < smallest + worthwhile) return
    void collect({ flavor: 'last-resort', type: 'major' })
    smallest = used()
  }
  setTimeout(look, afterStart).unref()
  setInterval(look, lookInterval).unref()
}
