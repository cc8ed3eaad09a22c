// Owns the hooks that git in a container runs: copies, which the host's git never sees.
import { mkdir, readdir, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { openInside, readWhole } from '../config/open-inside.js'

/** A hook is a script, or a program of some megabytes. */
const mostBytes = 64 * 1024 * 1024

/**
 * Copies to run and to change: what an installer adds stays in containers. An agent may be at work in there meanwhile, so
 * nothing here follows a link of its: files are unlinked, and renamed into place. Where an agent made the repository itself, it may have
 * left a link to any file of its user's among the hooks: only what lies within one of `roots` is copied.
 */
export async function ownHooks(commonDir: string, own: string, roots: readonly string[]): Promise<string> {
  const [source, copies, next] = [join(commonDir, 'hooks'), join(own, 'hooks'), join(own, `hook.${process.pid}`)]
  await mkdir(copies, { recursive: true })
  for (const name of await readdir(copies)) await unlink(join(copies, name)).catch(() => {})
  for (const name of await readdir(source)) {
    if (name.endsWith('.sample')) continue
    const hook = await readHook(join(source, name), [commonDir, ...roots])
    if (!hook) continue
    await rm(next, { force: true })
    await writeFile(next, hook.text, { flag: 'wx', mode: hook.mode })
    // A directory the agent left in its place stays.
    await rename(next, join(copies, name)).catch(() => rm(next))
  }
  return copies
}

async function readHook(path: string, roots: readonly string[]): Promise<{ mode: number; text: Buffer } | undefined> {
  for (const root of roots) {
    // Undefined for one that leads elsewhere, or nowhere.
    const handle = await openInside(root, relative(root, path)).catch(() => undefined)
    try {
      if (!handle) continue
      const { mode } = await handle.stat()
      return { mode: mode & 0o777, text: await readWhole(handle, mostBytes) }
    } catch {
      return undefined
    } finally {
      await handle?.close()
    }
  }
  return undefined
}
