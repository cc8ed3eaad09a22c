// Owns directories in which git on this machine works for a while. Not where temporary files are: that may be an agent's workspace,
// which moat's own directory never is.
import { mkdir, mkdtemp, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { moatHome } from '../config/moat-home.js'

/** The real path of a new one, whose name begins with `prefix`. Whoever asks for it removes it. */
export async function makeOwnDirectory(prefix: string): Promise<string> {
  const own = join(moatHome(), 'git')
  await mkdir(own, { mode: 0o700, recursive: true })
  return realpath(await mkdtemp(join(own, prefix)))
}
