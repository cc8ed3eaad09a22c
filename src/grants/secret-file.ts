// Owns reading a file that has a secret in it and that the user named.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** Bytes. */
const mostBytes = 64 * 1024

/** Its text without the end of its last line. A pipe is not waited for. */
export async function readSecretFile(path: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error('it is not a file')
    if (stats.size > mostBytes) throw new Error(`it has more than ${mostBytes / 1024} KiB`)
    return (await handle.readFile('utf8')).replace(/\r?\n$/, '')
  } finally {
    await handle.close()
  }
}
