// Owns volumes behind the Docker API: made with moat's labels and their seal, looked for by them, and never anybody else's.
import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { Extract } from 'tar-stream'
import { sealKeyFile } from '../config/paths.js'
import { MoatError } from '../errors.js'
import { engineError, statusOf } from './engine-errors.js'
import type { EngineTraits } from './engine-traits.js'
import { nameOf } from './listed-container.js'
import { ensureSealKey, readSealKey } from './seal-key.js'
import { type ListedVolume, volumeId, volumeLabels, volumeLabelsOf, volumeOwner } from './volume-seal.js'
import type { EngineVolumes, VolumeInfo, VolumeOwner } from './volumes.js'

interface DiskUse {
  Volumes?: { Name: string; UsageData?: { Size: number } | null }[] | null
}

interface Owned {
  gid: number
  mode: number
  uid: number
}

export class DockerVolumes implements EngineVolumes {
  readonly #address: string
  readonly #docker: Docker
  readonly #home: string | undefined
  readonly #traits: () => Promise<EngineTraits>

  constructor(
    docker: Docker,
    { address, home, traits }: { address: string; home: string | undefined; traits: () => Promise<EngineTraits> },
  ) {
    this.#address = address
    this.#docker = docker
    this.#home = home
    this.#traits = traits
  }

  ensure(owner: VolumeOwner): Promise<{ id: string; isNew: boolean; labels: Record<string, string> }> {
    return this.#ask('make the volume', async () => {
      const home = this.#home
      if (home === undefined) throw new Error('no ~/.moat that it could belong to')
      const key = await ensureSealKey(sealKeyFile(home))
      const id = volumeId(owner, home)
      const labels = volumeLabelsOf(owner, home, key)
      const known = await this.#inspect(id)
      // The engine answers with the one of that name, if there is one by now, whoever made it.
      if (!known) await this.#docker.createVolume({ Driver: 'local', Labels: labels, Name: id })
      const found = known ?? (await this.#inspect(id))
      if (!found || !volumeOwner(found, home, key)) throw await this.#foreign(id, owner.name)
      return { id, isNew: !known, labels }
    })
  }

  list(): Promise<VolumeInfo[]> {
    return this.#ask('list volumes', async () => {
      const home = this.#home
      if (home === undefined) return []
      const filters = { label: [volumeLabels.volume] }
      const [{ Volumes }, containers, key] = await Promise.all([
        this.#docker.listVolumes({ filters } as object) as Promise<{
          Volumes?: (ListedVolume & { CreatedAt?: string })[] | null
        }>,
        this.#docker.listContainers({ all: true }),
        readSealKey(sealKeyFile(home)),
      ])
      const found = (Volumes ?? []).flatMap((volume): VolumeInfo[] => {
        const owner = volumeOwner(volume, home, key)
        if (!owner) return []
        const users = containers.filter(({ Mounts = [] }) => {
          return Mounts.some(({ Name, Type }) => Type === 'volume' && Name === volume.Name)
        })
        const createdAt = isoTime(volume.CreatedAt)
        return [{ ...owner, ...(createdAt && { createdAt }), id: volume.Name, usedBy: users.map(nameOf).toSorted() }]
      })
      return found.toSorted((a, b) => compare(a.place, b.place) || compare(a.name, b.name))
    })
  }

  own(containerId: string, targets: readonly string[], user: { gid: number; uid: number }): Promise<void> {
    return this.#ask('make the volume writable', async () => {
      const { rootless } = await this.#traits()
      // Root writes anywhere.
      if (rootless || user.uid === 0 || targets.length === 0) return
      const container = this.#docker.getContainer(containerId)
      const { pack } = await import('tar-stream')
      const tar = pack()
      let isNeeded = false
      for (const target of targets) {
        const owned = await this.#ownerOf(container, target)
        // Somebody's already, or written there by an image: only root's, which is nobody's choice, is given away.
        if (owned && owned.uid !== 0) continue
        isNeeded = true
        tar.entry({ ...user, mode: (owned?.mode ?? 0o755) & 0o7777, name: `${target.slice(1)}/`, type: 'directory' })
      }
      tar.finalize()
      // The engine mounts volumes for it, and the directory that is there gets the owner of the one that is written.
      if (isNeeded) await container.putArchive(tar, { path: '/' })
    })
  }

  remove(id: string): Promise<'absent' | 'removed' | 'used'> {
    return this.#ask('remove the volume', async () => {
      const home = this.#home
      const found = await this.#inspect(id)
      if (!found || home === undefined) return 'absent'
      if (!volumeOwner(found, home, await readSealKey(sealKeyFile(home)))) return 'absent'
      try {
        await this.#docker.getVolume(id).remove()
        return 'removed'
      } catch (error) {
        if (statusOf(error) === 404) return 'absent'
        if (statusOf(error) === 409) return 'used'
        throw error
      }
    })
  }

  sizes(): Promise<ReadonlyMap<string, number>> {
    return this.#ask('look how large volumes are', async () => {
      // dockerode's own asks for images and containers as well, which takes longer.
      const { Volumes } = await new Promise<DiskUse>((resolve, reject) => {
        const request = { method: 'GET', options: { type: 'volume' }, path: '/system/df?', statusCodes: { 200: true } }
        this.#docker.modem.dial(request as never, (error, answer) =>
          error ? reject(error) : resolve(answer as DiskUse),
        )
      })
      return new Map(
        (Volumes ?? []).flatMap(({ Name, UsageData }): [string, number][] => {
          // -1: it does not know.
          return UsageData && UsageData.Size >= 0 ? [[Name, UsageData.Size]] : []
        }),
      )
    })
  }

  async #inspect(id: string): Promise<ListedVolume | undefined> {
    try {
      return (await this.#docker.getVolume(id).inspect()) as ListedVolume
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      throw error
    }
  }

  /** Of the directory at `target`, from the first entry of its archive; the rest is not waited for. */
  async #ownerOf(container: Docker.Container, target: string): Promise<Owned | undefined> {
    const { extract } = await import('tar-stream')
    const source = (await container.getArchive({ path: target })) as unknown as Readable
    try {
      return await firstEntry(source, extract())
    } finally {
      source.destroy()
    }
  }

  async #foreign(id: string, name: string): Promise<MoatError> {
    const program = (await this.#traits()).podman ? 'podman' : 'docker'
    return new MoatError(
      'FORBIDDEN',
      `The engine has a volume ${id}, where "${name}" would be, that this moat did not make.`,
      {
        suggestions: [`${program} volume inspect ${id}`, `${program} volume rm ${id}   # what is in it is lost`],
      },
    )
  }

  async #ask<T>(action: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request()
    } catch (error) {
      throw error instanceof MoatError ? error : engineError(action, error, this.#address)
    }
  }
}

function firstEntry(source: Readable, unpack: Extract): Promise<Owned | undefined> {
  const { promise, reject, resolve } = Promise.withResolvers<Owned | undefined>()
  unpack.on('entry', ({ gid = 0, mode = 0o755, uid = 0 }) => resolve({ gid, mode, uid }))
  unpack.on('finish', () => resolve(undefined))
  unpack.on('error', reject)
  source.on('error', reject).pipe(unpack)
  return promise
}

function isoTime(text: string | undefined): string | undefined {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
