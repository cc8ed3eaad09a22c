// Owns remembering what images have: to read a file of a container takes the engine a tenth of a second, and an image never changes.
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MoatPaths } from '../../config/paths.js'

/** What of an image was not needed for so long is read anew. Milliseconds. */
const keptFor = 30 * 24 * 3_600_000

/** The text that `read` gives, once for each key, which has the image's id in it. */
export async function remembered(
  { bundles }: Pick<MoatPaths, 'bundles'>,
  key: readonly unknown[],
  read: () => Promise<string>,
): Promise<string> {
  const path = join(bundles, createHash('sha256').update(JSON.stringify(key)).digest('hex'))
  const known = await readFile(path, 'utf8').catch(() => undefined)
  if (known !== undefined) {
    await utimes(path, new Date(), new Date()).catch(() => {})
    return known
  }
  const text = await read()
  await keep(bundles, path, text)
  return text
}

async function keep(directory: string, path: string, text: string): Promise<void> {
  await mkdir(directory, { mode: 0o700, recursive: true })
  // Replaced at once: another run may be reading it, and half of it would be taken for all.
  const next = `${path}.${process.pid}`
  await writeFile(next, text, { flush: true, mode: 0o600 })
  await rename(next, path)
  for (const name of await readdir(directory)) {
    const old = join(directory, name)
    const found = await stat(old).catch(() => undefined)
    if (found && Date.now() - found.mtimeMs > keptFor) await rm(old, { force: true })
  }
}
