// After each file of tests, what it has changed of its process is as it was: the next file runs in the same one.
import { afterAll, vi } from 'vitest'

const env = { ...process.env }
const directory = process.cwd()

afterAll(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env)
  process.chdir(directory)
})
