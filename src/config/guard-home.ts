// Owns keeping moat's own files out of containers: whoever has the root's key or a control socket is this user.
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { exitCodes, MoatError } from '../errors.js'
import { contains, realPlace } from './real-path.js'

/**
 * Rejects when a host path that is to be mounted lies in `home` (the `~/.moat`), or contains it. What lies in its
 * `worktrees` is the user's own work and may be mounted, but not that directory itself.
 */
export async function assertNotMoatHome(path: string, home: string): Promise<void> {
  const [mounted, own] = await Promise.all([realpath(path), realPlace(home)])
  if (!contains(mounted, own) && !contains(own, mounted)) return
  const worktrees = join(own, 'worktrees')
  if (mounted !== worktrees && contains(worktrees, mounted)) return
  throw new MoatError(
    'MOAT_HOME_EXPOSED',
    `${path} cannot be given to an agent: with it the agent would get moat's own files in ${home}, the key of the certificate authority among them.`,
    { exit: exitCodes.usage, suggestions: ['moat run <a directory of its own>'] },
  )
}
