// Owns files behind the Docker API: containers' files travel as tar archives through dockerode.
import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type Docker from 'dockerode'
import type { Pack } from 'tar-stream'
import { engineError, statusOf } from './engine-errors.js'
import type { ContainerFile, EngineFiles, ImageFacts } from './files.js'

/** A chain of links longer than this is a circle. */
const mostLinks = 8

export class DockerFiles implements EngineFiles {
  readonly #address: string
  readonly #docker: Docker

  constructor(docker: Docker, address: string) {
    this.#address = address
    this.#docker = docker
  }

  describeImage(image: string): Promise<ImageFacts> {
    return this.#ask('inspect the image', async () => {
      const { Architecture, Config, Id } = await this.#docker.getImage(image).inspect()
      const pairs = (Config.Env ?? []).map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)])
      return {
        architecture: Architecture,
        command: Config.Cmd ?? [],
        entrypoint: [Config.Entrypoint ?? []].flat(),
        environment: Object.fromEntries(pairs) as Record<string, string>,
        id: Id,
        labels: Config.Labels ?? {},
      }
    })
  }

  has(containerId: string, path: string): Promise<boolean> {
    return this.#ask('look for a file of the container', async () => {
      try {
        await this.#docker.getContainer(containerId).infoArchive({ path })
        return true
      } catch (error) {
        if (statusOf(error) === 404) return false
        throw error
      }
    })
  }

  async read(containerId: string, path: string): Promise<string | undefined> {
    const bytes = await this.readBytes(containerId, path)
    return bytes && new TextDecoder().decode(bytes)
  }

  readBytes(containerId: string, path: string): Promise<Buffer | undefined> {
    return this.#ask('read a file of the container', async () => {
      let at = path
      for (let links = 0; links < mostLinks; links += 1) {
        const found = await this.#readEntry(containerId, at)
        if (found === undefined || !('linkTo' in found)) return found
        at = posix.resolve(posix.dirname(at), found.linkTo)
      }
      return undefined
    })
  }

  unpack(containerId: string, archive: Readable): Promise<void> {
    return this.#ask('write files into the container', async () => {
      const { promise, reject } = Promise.withResolvers<never>()
      promise.catch(() => {})
      // A file that cannot be read on the way is what went wrong, and not the request that it cuts short.
      archive.on('error', reject)
      const put = this.#docker.getContainer(containerId).putArchive(archive, { path: '/' })
      put.catch(() => archive.destroy())
      await Promise.race([put, promise])
    })
  }

  write(containerId: string, directory: string, files: readonly ContainerFile[]): Promise<void> {
    return this.#ask('write files into the container', async () => {
      const container = this.#docker.getContainer(containerId)
      try {
        await container.putArchive(await archive(files), { path: directory })
      } catch (error) {
        if (statusOf(error) !== 404) throw error
        // No such directory: the engine makes those on the way to a file.
        const below = files.map((file) => ({ ...file, name: `${directory.slice(1)}/${file.name}` }))
        await container.putArchive(await archive(below), { path: '/' })
      }
    })
  }

  /** What is in a file, where a link leads, or undefined. */
  async #readEntry(containerId: string, path: string): Promise<Buffer | { linkTo: string } | undefined> {
    const { extract } = await import('tar-stream')
    let source: Readable
    try {
      source = (await this.#docker.getContainer(containerId).getArchive({ path })) as unknown as Readable
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      throw error
    }
    const result = Promise.withResolvers<Buffer | { linkTo: string } | undefined>()
    let found: Promise<Buffer> | { linkTo: string } | undefined
    let isFirst = true
    const unpack = extract()
    unpack.on('entry', (header, stream, next) => {
      stream.on('end', next)
      // What follows is in a directory of that name.
      if (isFirst && header.type === 'file') found = buffer(stream)
      else stream.resume()
      if (isFirst && header.type === 'symlink') found = { linkTo: header.linkname ?? '' }
      isFirst = false
    })
    // The archive may end before the file is put together.
    unpack.on('finish', () => result.resolve(found))
    unpack.on('error', result.reject)
    source.on('error', result.reject).pipe(unpack)
    return result.promise
  }

  async #ask<T>(action: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request()
    } catch (error) {
      throw engineError(action, error, this.#address)
    }
  }
}

/** The library is loaded here: most commands write nothing. */
async function archive(files: readonly ContainerFile[]): Promise<Pack> {
  const { pack } = await import('tar-stream')
  const tar = pack()
  for (const { linkTo, mode = 0o644, name, owner, text: content } of files) {
    if (linkTo === undefined) tar.entry({ mode, name, ...owner }, content)
    else tar.entry({ linkname: linkTo, name, type: 'symlink', ...owner })
  }
  tar.finalize()
  return tar
}
