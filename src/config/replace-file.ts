// Owns putting a file in the place of another at once, whatever is there: a link is replaced, never written through.
import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'

/** With exactly that mode, if one is given. */
export async function replaceFile(file: string, text: string | Uint8Array, mode?: number): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  // Exclusive, so that nothing lies in wait under that name.
  const handle = await open(temporary, 'wx', mode ?? 0o666)
  try {
    try {
      if (mode !== undefined) await handle.chmod(mode)
      await handle.writeFile(text)
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
