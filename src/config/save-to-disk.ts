// Owns that a file is whole after the machine has stopped, whatever was in its memory.
import { open } from 'node:fs/promises'

/** Resolves once the disk has it. */
export async function saveToDisk(path: string): Promise<void> {
  const file = await open(path)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
