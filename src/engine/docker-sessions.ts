// Owns sessions behind the Docker API: exec, logs, usage and images as requests through dockerode.
import { PassThrough, type Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type Docker from 'dockerode'
import { type Coming, comeToRest } from '../processes/at-rest.js'
import { readCgroup } from '../processes/cgroup.js'
import { removableNames } from './built-images.js'
import { ListenerReader } from './container-listeners.js'
import { demultiplex } from './demultiplex.js'
import { startExec } from './docker-exec.js'
import { engineError, statusOf } from './engine-errors.js'
import { labels } from './labels.js'
import type {
  ContainerListeners,
  ContainerUsage,
  EngineSessions,
  ExecSession,
  ExecSpec,
  ImageInfo,
  LogOptions,
  SessionOutput,
  TerminalSize,
} from './sessions.js'
import { terminalOutput } from './terminal-output.js'

/** How long the use of the CPU is looked at: long enough to mean something, too short to be waited for. Milliseconds. */
const cpuWindow = 50

export class DockerSessions implements EngineSessions {
  readonly #address: string
  readonly #docker: Docker
  readonly #listeners: ListenerReader

  constructor(docker: Docker, address: string) {
    this.#address = address
    this.#docker = docker
    this.#listeners = new ListenerReader({ docker, exec: (containerId, spec) => this.exec(containerId, spec) })
  }

  async exec(containerId: string, spec: ExecSpec): Promise<ExecSession> {
    return this.#ask(`run ${spec.command[0]} in the container`, () =>
      startExec(this.#docker.getContainer(containerId), spec),
    )
  }

  async listeners(containerId: string): Promise<ContainerListeners> {
    return this.#ask('look into the container', () => this.#listeners.read(containerId))
  }

  async comeToRest(containerId: string, signal: AbortSignal): Promise<Coming> {
    try {
      const { Id, State } = await this.#docker.getContainer(containerId).inspect()
      if (State.Status === 'exited' || State.Status === 'dead') return 'ended'
      return await comeToRest({ containerId: Id, pid: State.Pid }, signal)
    } catch {
      return 'unknown'
    }
  }

  async logs(containerId: string, { follow, tail }: LogOptions): Promise<SessionOutput> {
    return this.#ask('read the log of the container', async () => {
      const container = this.#docker.getContainer(containerId)
      const { Config } = await container.inspect()
      const options = { stderr: true, stdout: true, ...(tail !== undefined && { tail }) }
      const source = follow
        ? ((await container.logs({ ...options, follow: true })) as unknown as Readable)
        : bufferStream((await container.logs({ ...options, follow: false })) as unknown as Buffer)
      return Config.Tty ? terminalOutput(source) : demultiplex(source)
    })
  }

  async usage(containerId: string): Promise<ContainerUsage> {
    return this.#ask('measure the container', async () => {
      const container = this.#docker.getContainer(containerId)
      const { Id, State } = await container.inspect()
      const sizes = this.#docker.listContainers({ all: true, filters: { id: [containerId] }, size: true } as object)
      const place = { containerId: Id, pid: State.Pid }
      const [measured, [listed]] = await Promise.all([measureCgroup(place), sizes])
      if (measured) return { ...measured, disk: sizeOf(listed) }
      const stats = await container.stats({ stream: false })
      return { cpu: cpuPercent(stats), disk: sizeOf(listed), memory: stats.memory_stats.usage ?? 0 }
    })
  }

  async images(): Promise<ImageInfo[]> {
    return this.#ask('list images', async () => {
      const filters = { label: [labels.image] }
      const [images, containers] = await Promise.all([
        this.#docker.listImages({ filters }),
        this.#docker.listContainers({ all: true }),
      ])
      const used = new Set(containers.map(({ ImageID }) => ImageID))
      return images.flatMap((image) => {
        const tags = removableNames(image)
        return tags.length > 0 ? [{ size: image.Size, tags, used: used.has(image.Id) }] : []
      })
    })
  }

  async resize(containerId: string, { columns, rows }: TerminalSize): Promise<void> {
    await this.#ask('resize the terminal', () => this.#docker.getContainer(containerId).resize({ h: rows, w: columns }))
  }

  async removeImage(tag: string): Promise<void> {
    await this.#ask(`remove the image ${tag}`, async () => {
      try {
        await this.#docker.getImage(tag).remove()
      } catch (error) {
        // Gone, or a container uses it since it was listed.
        if (![404, 409].includes(statusOf(error) ?? 0)) throw error
      }
    })
  }

  async version(): Promise<{ name: string; version: string }> {
    return this.#ask('say its version', async () => {
      const { Components, Version } = (await this.#docker.version()) as {
        Components?: { Name: string }[]
        Version: string
      }
      const name = Components?.[0]?.Name ?? 'Docker API'
      // Docker calls itself by its kind only; Podman says "Podman Engine".
      return { name: name === 'Engine' ? 'Docker Engine' : name, version: Version }
    })
  }

  async #ask<T>(action: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request()
    } catch (error) {
      throw engineError(action, error, this.#address)
    }
  }
}

function bufferStream(content: Buffer): Readable {
  const stream = new PassThrough()
  stream.end(content)
  return stream
}

/** From two looks at its control group; undefined when there is none to look at. */
async function measureCgroup(place: { containerId: string; pid: number }) {
  const [before, start] = [await readCgroup(place), performance.now()]
  if (!before) return undefined
  await delay(cpuWindow)
  const after = await readCgroup(place)
  if (!after) return undefined
  const passed = (performance.now() - start) * 1_000
  return { cpu: (Math.max(0, after.cpuTime - before.cpuTime) / passed) * 100, memory: after.memory }
}

/** As `docker stats` computes it: the share of the system's time between two samples, times the number of CPUs. */
function cpuPercent({ cpu_stats: now, precpu_stats: before }: Docker.ContainerStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const passed = now.system_cpu_usage - (before.system_cpu_usage ?? 0)
  return passed > 0 && used > 0 ? (used / passed) * (now.online_cpus || 1) * 100 : 0
}

function sizeOf(listed: Docker.ContainerInfo | undefined): number {
  return (listed as { SizeRw?: number } | undefined)?.SizeRw ?? 0
}
