// Owns keeping compiled code from one command to the next: much of a short command's time goes into reading libraries.
import { existsSync, mkdirSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { moatHome } from './moat-home.js'

/**
 * Applies to what is imported from now on. Call it as the user whose `~/.moat` it is. Where there is none yet nothing is
 * kept: a command that only says what is wrong leaves no files.
 */
export function keepCompiledCode(env: NodeJS.ProcessEnv = process.env): void {
  const home = moatHome(env)
  if (!existsSync(home)) return
  const directory = join(home, 'cache', 'compiled')
  try {
    mkdirSync(directory, { mode: 0o700, recursive: true })
  } catch {
    // A home that cannot be written is for the command to complain of.
    return
  }
  enableCompileCache(directory)
}

/** Keeps what there is by now. Else that is done when the process ends, which whoever waits for its end then waits for too. */
export function keepCompiledCodeNow(): void {
  flushCompileCache()
}
