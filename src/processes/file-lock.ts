// Owns lock files: locks of the operating system, so the death of a holder always frees them.
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A held lock. The file stays behind, empty: removing it would let two processes lock two files of one name. */
export interface FileLock {
  release(): Promise<void>
}

/** Between two tries to take a lock. Milliseconds. */
const retryInterval = 50

/** A handle that nobody refers to is closed when memory is tidied up, and the lock would be gone with it. */
const held = new Set<FileHandle>()

// Native code is loaded by who needs a lock: most commands only ask.

/** Takes the lock, or returns undefined when another process holds it. */
export async function takeFileLock(path: string): Promise<FileLock | undefined> {
  const file = await openLockFile(path)
  try {
    const { tryLock } = await import('fs-native-extensions')
    if (tryLock(file.fd)) return hold(file)
  } catch (error) {
    await file.close()
    throw error
  }
  await file.close()
  return undefined
}

/** Waits for the lock, however long: for work that may take its time. Nothing ends such a wait, nor the process that waits. */
export async function waitForFileLock(path: string): Promise<FileLock> {
  const file = await openLockFile(path)
  try {
    const { waitForLock } = await import('fs-native-extensions')
    await waitForLock(file.fd)
    return hold(file)
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Waits for the lock; undefined when it is still held after `deadline` milliseconds. Others meanwhile may take it first. */
export async function tryFileLock(path: string, deadline: number): Promise<FileLock | undefined> {
  const end = performance.now() + deadline
  for (;;) {
    const lock = await takeFileLock(path)
    if (lock || performance.now() > end) return lock
    await new Promise((resolve) => setTimeout(resolve, retryInterval))
  }
}

function hold(file: FileHandle): FileLock {
  held.add(file)
  return {
    release: async () => {
      held.delete(file)
      await file.close()
    },
  }
}

async function openLockFile(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { mode: 0o700, recursive: true })
  return open(path, 'a', 0o600)
}
