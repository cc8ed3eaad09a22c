// Owns where `~/.moat` is: the one directory of all that moat writes, which MOAT_HOME replaces whole.
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** `MOAT_HOME` may be relative to the working directory. */
export function moatHome(env: NodeJS.ProcessEnv = process.env, userHome: string = homedir()): string {
  return env.MOAT_HOME ? resolve(env.MOAT_HOME) : join(userHome, '.moat')
}
