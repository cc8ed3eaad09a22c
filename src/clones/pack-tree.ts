// Owns a directory as a tar archive, for the engine to unpack where an agent is to have it.
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Headers, type Pack, pack } from 'tar-stream'
import { MoatError } from '../errors.js'

interface Owner {
  gid: number
  uid: number
}

/** Files, directories and links, all of them the owner's. `name` is what the directory is called in the archive. */
export function packTree(directory: string, name: string, owner: Owner): Readable {
  const tar = pack()
  packEntry(tar, directory, name, owner).then(
    () => tar.finalize(),
    (error: Error) => tar.destroy(error),
  )
  return tar
}

async function packEntry(tar: Pack, path: string, name: string, owner: Owner): Promise<void> {
  const entry = await lstat(path)
  const header: Headers = { ...owner, mode: entry.mode & 0o777, mtime: entry.mtime, name }
  if (entry.isSymbolicLink()) {
    await added(tar, { ...header, linkname: await readlink(path), type: 'symlink' })
  } else if (entry.isDirectory()) {
    // Made as moat's own, which nobody else reads; in the container it is like any other.
    await added(tar, { ...header, mode: 0o755, name: `${name}/`, type: 'directory' })
    for (const file of (await readdir(path)).toSorted()) {
      if (file.includes('\uFFFD')) throw unnamable(join(name, file))
      await packEntry(tar, join(path, file), `${name}/${file}`, owner)
    }
  } else {
    await pipeline(createReadStream(path), tar.entry({ ...header, size: entry.size, type: 'file' }))
  }
}

function added(tar: Pack, header: Headers): Promise<void> {
  const { promise, reject, resolve } = Promise.withResolvers<void>()
  tar.entry(header, '', (error) => (error ? reject(error) : resolve()))
  return promise
}

function unnamable(path: string): MoatError {
  return new MoatError('CLONE_FAILED', `${path} has a name that is not UTF-8, so the repository is not cloned.`)
}
