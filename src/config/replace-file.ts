// Owns putting a file in the place of another at once, whatever is there: a link is replaced, never written through.
import { randomBytes } from 'node:crypto'
import { closeSync, fchmodSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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

/** The same, before anything else happens in this process. */
export function replaceFileNow(file: string, text: string | Uint8Array, mode: number): void {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  const descriptor = openSync(temporary, 'wx', mode)
  try {
    try {
      fchmodSync(descriptor, mode)
      writeFileSync(descriptor, text)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
