// Owns what plugins write while moat asks them: stdout is for moat's own data, so it goes to stderr, whenever it comes.
import { AsyncLocalStorage } from 'node:async_hooks'

const inHook = new AsyncLocalStorage<true>()
let watching: typeof process.stdout.write | undefined

/** Calls plugins' functions; what they write to stdout, also later and from what they have started, goes to stderr. */
export function withOutputAside<T>(call: () => T): T {
  if (watching === undefined || process.stdout.write !== watching) watchOutput()
  return inHook.run(true, call)
}

function watchOutput(): void {
  const usual = process.stdout.write.bind(process.stdout)
  watching = ((...args: Parameters<typeof usual>) =>
    inHook.getStore() ? process.stderr.write(...args) : usual(...args)) as typeof process.stdout.write
  process.stdout.write = watching
}
