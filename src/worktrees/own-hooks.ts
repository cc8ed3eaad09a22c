// Owns the hooks that git in a container runs: copies, which the host's git never sees.
import { copyFile, mkdir, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Copies to run and to change: what an installer adds stays in containers. An agent may be at work in there meanwhile, so
 * nothing here follows a link of its: files are unlinked, and renamed into place.
 */
export async function ownHooks(commonDir: string, own: string): Promise<string> {
  const [source, copies, next] = [join(commonDir, 'hooks'), join(own, 'hooks'), join(own, `hook.${process.pid}`)]
  await mkdir(copies, { recursive: true })
  for (const name of await readdir(copies)) await unlink(join(copies, name)).catch(() => {})
  for (const name of await readdir(source)) {
    const file = await stat(join(source, name)).catch(() => undefined)
    if (!file?.isFile() || name.endsWith('.sample')) continue
    await copyFile(join(source, name), next)
    // A directory the agent left in its place stays.
    await rename(next, join(copies, name)).catch(() => rm(next))
  }
  return copies
}
