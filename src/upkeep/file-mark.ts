// Owns telling whether a path still leads to the file it led to, and whether that was written to since.
import { lstatSync } from 'node:fs'

/** The file at a path, whatever is written to it; `undefined` when there is none. */
export function fileMark(path: string): string | undefined {
  const found = look(path)
  return found && `${found.dev}:${found.ino}`
}

/** The file and its state: another mark for every change. */
export function contentMark(path: string): string | undefined {
  const found = look(path)
  return found && `${found.dev}:${found.ino}:${found.mode}:${found.size}:${found.mtimeMs}:${found.ctimeMs}`
}

function look(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    // A directory on the way is a file by now, or closed: nothing is there.
    return undefined
  }
}
