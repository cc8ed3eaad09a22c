// After each file of unit tests, what it has changed of its process is as it was: the next file runs in the same one. What it leaves running
// there would run on into that one, and so it fails.
import { afterAll, vi } from 'vitest'

const ownEnv = process.env
const env = { ...ownEnv }
const directory = process.cwd()

/** Those that run, and where each was started. */
const intervals = new Map<NodeJS.Timeout, string>()
const { clearInterval: clear, setInterval: start } = globalThis

globalThis.setInterval = ((...args: Parameters<typeof start>) => {
  const interval = start(...args)
  intervals.set(interval, new Error('An interval was left running').stack ?? '')
  return interval
}) as typeof start

globalThis.clearInterval = (interval) => {
  if (typeof interval === 'object') intervals.delete(interval)
  clear(interval)
}

afterAll(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  const isOther = process.env !== ownEnv
  process.env = ownEnv
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env)
  process.chdir(directory)
  globalThis.setInterval = start
  globalThis.clearInterval = clear
  for (const interval of intervals.keys()) clear(interval)
  // What the system says by it (os.homedir) would not follow a copy, in all files that come after.
  if (isOther) throw new Error('process.env was replaced: vi.stubEnv sets variables in the one that is there')
  if (intervals.size > 0) throw new Error([...intervals.values()].join('\n'))
})
