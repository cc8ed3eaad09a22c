// Owns which file of a workspace a URL's path leads to. The agent owns what is in there, links included, and may change it
// at any moment: nothing outside the workspace is ever given out.
import { constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathOfHandle } from '../config/open-inside.js'
import { contains } from '../config/real-path.js'
import type { ServedFiles } from '../routing/agent.js'

export type FoundFile =
  /** An open file. Where the system allows it, it was made sure after opening that it lies in the workspace. */
  | { handle: FileHandle; kind: 'file'; path: string }
  /** A directory without index.html. `root` is the real path of the directory that is served. */
  | { kind: 'directory'; root: string }
  /** A directory asked for without a slash at the end, in which relative links would lead astray. */
  | { kind: 'redirect' }

const indexFile = 'index.html'

/** What `urlPath`, as it stands in a request, leads to; undefined when that is nothing to serve. */
export async function findFile(
  workspace: string,
  { browse, fallback, root }: ServedFiles,
  urlPath: string,
): Promise<FoundFile | undefined> {
  const inner = await realpath(workspace).catch(() => undefined)
  const base = inner && (await realpath(join(inner, root)).catch(() => undefined))
  const path = decode(urlPath)
  if (inner === undefined || base === undefined || path === undefined || !contains(inner, base)) return undefined
  const found = await lookUp(inner, base, path, browse)
  return found ?? (fallback === undefined ? undefined : openFile(inner, join(base, fallback)))
}

async function lookUp(workspace: string, base: string, path: string, browse: boolean): Promise<FoundFile | undefined> {
  const target = join(base, path)
  const found = await realpath(target).catch(() => undefined)
  if (found === undefined || !contains(workspace, found)) return undefined
  const isDirectory = await stat(found).then(
    (info) => info.isDirectory(),
    () => false,
  )
  if (!isDirectory) return path.endsWith('/') ? undefined : openFile(workspace, target)
  const index = await openFile(workspace, join(target, indexFile))
  if (!index && !browse) return undefined
  if (!path.endsWith('/')) {
    if (index?.kind === 'file') await index.handle.close()
    return { kind: 'redirect' }
  }
  return index ?? { kind: 'directory', root: base }
}

/** Undefined for what is not a plain file in the workspace. */
async function openFile(workspace: string, path: string): Promise<FoundFile | undefined> {
  // Non-blocking: opening a named pipe would wait for somebody to write.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined)
  if (!handle) return undefined
  try {
    const actual = await pathOfHandle(handle, path)
    if ((await handle.stat()).isFile() && contains(workspace, actual)) return { handle, kind: 'file', path: actual }
  } catch {
    // Gone again, or not to be read.
  }
  await handle.close()
  return undefined
}

/** Undefined for a path that is malformed or hidden. Files that start with a dot are not served, but for /.well-known. */
function decode(urlPath: string): string | undefined {
  let path: string
  try {
    path = decodeURIComponent(urlPath)
  } catch {
    return undefined
  }
  const hidden = path.split('/').some((part) => part.startsWith('.') && part !== '.well-known')
  return hidden || path.includes('\0') || path.includes('\\') ? undefined : path
}
