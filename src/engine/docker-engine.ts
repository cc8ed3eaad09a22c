// Owns the engine behind the Docker API: each method of Engine as requests through dockerode.
import { Agent, type AgentOptions } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import Docker from 'dockerode'
import { AgentEnds } from './agent-ends.js'
import { buildImage } from './build-image.js'
import { createContainer } from './create-container.js'
import { demultiplex } from './demultiplex.js'
import { DockerFiles } from './docker-files.js'
import { DockerNetworks } from './docker-networks.js'
import { DockerServices } from './docker-services.js'
import { DockerSessions } from './docker-sessions.js'
import { DockerVolumes } from './docker-volumes.js'
import { DockerWriters } from './docker-writers.js'
import { EndedContainers } from './ended-containers.js'
import {
  type AgentList,
  type ContainerHolder,
  type ContainerOutput,
  type ContainerSpec,
  type Engine,
  type ImageBuild,
  ImageMissingError,
  NameReservedError,
  type PullProgress,
} from './engine.js'
import { type DialOptions, nameless } from './engine-address.js'
import { engineError, statusOf } from './engine-errors.js'
import { type EngineTraits, readTraits } from './engine-traits.js'
import { jsonLines } from './json-lines.js'
import { labels } from './labels.js'
import { nameOf } from './listed-container.js'
import { commandWasMissing, missingCommandCode } from './missing-command.js'
import { pullImage } from './pull-image.js'
import type { Judged } from './sort-containers.js'
import { sortListed } from './sort-listed.js'
import { isRemoval, stopContainer } from './stop-container.js'
import { terminalOutput } from './terminal-output.js'
import { type WatchHandlers, watchAgents } from './watch-agents.js'

export interface DockerEngineOptions {
  address: string
  dial: DialOptions
  /** The `~/.moat` whose agents this engine shows and makes; without one it knows of none. */
  moatHome?: string | undefined
}

export class DockerEngine implements Engine {
  readonly address: string
  readonly ends: AgentEnds
  readonly files: DockerFiles
  readonly networks: DockerNetworks
  readonly services: DockerServices
  readonly sessions: DockerSessions
  readonly volumes: DockerVolumes
  readonly writers: DockerWriters
  readonly #docker: Docker
  readonly #ended = new EndedContainers()
  readonly #judged: Judged = new Map()
  readonly #moatHome: string | undefined
  #traits: Promise<EngineTraits> | undefined

  constructor({ address, dial, moatHome }: DockerEngineOptions) {
    this.address = address
    this.#moatHome = moatHome
    const agent = new Agent({ ...nameless, keepAlive: true, scheduling: 'lifo', timeout: 5_000 } as AgentOptions)
    // The undefined ones keep dockerode from reading DOCKER_HOST and DOCKER_CLIENT_TIMEOUT for itself.
    const nothing = { agent, ca: undefined, cert: undefined, host: undefined, key: undefined, port: undefined }
    this.#docker = new Docker({ ...nothing, protocol: 'http', timeout: undefined, ...dial })
    this.ends = new AgentEnds({ docker: this.#docker, shellCode: (id, code) => this.#shellCode(id, code) })
    this.files = new DockerFiles(this.#docker, address)
    this.networks = new DockerNetworks(this.#docker, address, () => this.#askTraits())
    const correct = (listed: readonly Docker.ContainerInfo[]) => this.#ended.correct(listed)
    this.services = new DockerServices(this.#docker, { address, correct, home: moatHome })
    this.sessions = new DockerSessions(this.#docker, address)
    this.volumes = new DockerVolumes(this.#docker, { address, home: moatHome, traits: () => this.#askTraits() })
    this.writers = new DockerWriters(this.#docker, address)
  }

  /** Attach before the start, or what the container writes first is lost. */
  async attach(containerId: string, { interactive = false } = {}): Promise<ContainerOutput> {
    return this.#ask('attach to the container', async () => {
      const container = this.#docker.getContainer(containerId)
      const streams = { stderr: true, stdout: true, stream: true }
      if (!interactive) return demultiplex((await container.attach(streams)) as unknown as Readable)
      const duplex = (await this.#requestStream(`${containerId}/attach`, { ...streams, stdin: true }, true)) as Duplex
      return { ...terminalOutput(duplex), stdin: duplex }
    })
  }

  build(build: ImageBuild, signal: AbortSignal): AsyncIterable<string> {
    return buildImage(this.#docker, build, { address: this.address, signal })
  }

  async create(spec: ContainerSpec): Promise<string> {
    return this.#ask('create the container', async () => {
      return createContainer(spec, { docker: this.#docker, home: this.#moatHome, traits: await this.#askTraits() })
    })
  }

  async listAgents(): Promise<AgentList> {
    return this.#ask('list containers', async () => {
      const filters = { label: [labels.runId] }
      const listed = await this.writers.listed(() => this.#docker.listContainers({ all: true, filters }))
      const list = await this.#sort(this.#ended.correct(listed), this.#judged)
      return { ...list, agents: await this.ends.added(list.agents) }
    })
  }

  async findByContainerName(name: string): Promise<ContainerHolder | undefined> {
    return this.#ask(`read the container ${name}`, async () => {
      const containers = await this.#docker.listContainers({ all: true, filters: { name: [name] } })
      // The engine's filter finds parts of names too.
      const holder = containers.find((info) => nameOf(info) === name)
      if (!holder) return undefined
      const { agents, unreadable, unsealed } = await this.#sort([holder])
      if (unreadable[0]) throw new Error(unreadable[0].reason)
      if (agents[0]) return { agent: agents[0] }
      // Taken apart already, and its seal with it: as good as gone.
      if (holder.State === 'removing') return undefined
      return { fix: unsealed[0]?.fix ?? `${await this.#program()} rm -f ${name}` }
    })
  }

  async hasImage(image: string): Promise<boolean> {
    return this.#ask(`look for the image ${image}`, async () => {
      return (await tolerate([404], () => this.#docker.getImage(image).inspect())) !== undefined
    })
  }

  async isRootless(): Promise<boolean> {
    return this.#ask('describe itself', async () => (await this.#askTraits()).rootless)
  }

  async sharesSockets(runtime?: string): Promise<boolean> {
    return this.#ask('describe itself', async () => {
      const { defaultRuntime = '', remapped, sealedOff, virtual } = await this.#askTraits()
      // On another kernel than this machine's nobody listens there.
      return !virtual && !remapped && !sealedOff.includes(runtime ?? defaultRuntime)
    })
  }

  async runtimes(): Promise<string[]> {
    return this.#ask('describe itself', async () => (await this.#askTraits()).runtimes)
  }

  async kill(containerId: string): Promise<void> {
    await this.#ask('kill the container', () =>
      tolerate([404, 409], () => this.#docker.getContainer(containerId).kill()),
    )
  }

  pull(image: string, onProgress: (progress: PullProgress) => void, signal?: AbortSignal): Promise<void> {
    return pullImage(this.#docker, image, onProgress, signal)
  }

  /** Resolves when the container is gone and its name is free, whoever removes it. */
  async remove(containerId: string): Promise<void> {
    await this.#ask('remove the container', async () => {
      const container = this.#docker.getContainer(containerId)
      try {
        await container.remove({ force: true, v: true })
      } catch (error) {
        if (statusOf(error) === 404) return
        if (!isRemoval(error)) throw error
        await tolerate([404], () => container.wait({ condition: 'removed' }))
      }
    })
  }

  async start(containerId: string): Promise<void> {
    const container = this.#docker.getContainer(containerId)
    const start = () => tolerate([304], () => container.start())
    await this.#ask('start the container', () => this.networks.repairing(start))
  }

  async stop(containerId: string, graceSeconds: number): Promise<void> {
    await this.#ask('stop the container', async () => {
      try {
        const container = this.#docker.getContainer(containerId)
        await tolerate([304, 404], () => stopContainer(container, graceSeconds))
      } catch (error) {
        if (!isRemoval(error)) throw error
      }
    })
  }

  /**
   * Loses no exit code in the order `create`, `attach`, `wait` (not awaited), `start`: it listens for the next exit
   * first, and only then looks whether the container has ended already, which is how it answers after the end too.
   * A container removed before it ever ran ends with 0.
   */
  async wait(containerId: string): Promise<number> {
    return this.#ask('wait for the container', async () => {
      const exit = await this.#nextExit(containerId)
      const ended = await this.#endedWith(containerId)
      if (ended !== undefined) {
        exit.destroy()
        return this.#shellCode(containerId, ended)
      }
      for await (const value of jsonLines(exit)) {
        const { Error: problem, StatusCode } = value as { Error?: { Message?: string } | null; StatusCode: number }
        if (problem?.Message) throw new Error(problem.Message)
        return this.#shellCode(containerId, StatusCode)
      }
      throw new Error('the engine stopped before the container did')
    })
  }

  watch(handlers: WatchHandlers, signal: AbortSignal): Promise<void> {
    const own = { address: this.address, ended: this.#ended, moatHome: this.#moatHome }
    return watchAgents(this.#docker, own, handlers, signal)
  }

  /** The exit code of a container that has ended; undefined while it has not, or is gone. */
  async #endedWith(containerId: string): Promise<number | undefined> {
    const container = await tolerate([404], () => this.#docker.getContainer(containerId).inspect())
    const ended = container && (container.State.Status === 'exited' || container.State.Status === 'dead')
    return ended ? container.State.ExitCode : undefined
  }

  /** The exit code as a shell has it: 127 when there is no such command. Docker's init says so itself. */
  async #shellCode(containerId: string, code: number): Promise<number> {
    if (code !== 1 || !(await this.#askTraits()).podman) return code
    return (await commandWasMissing(this.#docker.getContainer(containerId))) ? missingCommandCode : code
  }

  /** The stream that carries the container's next exit, once the engine listens for it. */
  async #nextExit(containerId: string): Promise<Readable> {
    return (await this.#requestStream(`${containerId}/wait`, { condition: 'next-exit' })) as Readable
  }

  /**
   * A POST without a body, which dockerode has no way to: what it sends with an attach, Podman hands to the container
   * as its input. `hijack` gives the connection itself.
   */
  #requestStream(path: string, query: object, hijack = false): Promise<Duplex | Readable> {
    return new Promise((resolve, reject) => {
      const request = {
        ...(hijack && { hijack }),
        file: Buffer.alloc(0),
        isStream: true,
        method: 'POST',
        options: { _query: query },
        path: `/containers/${path}?`,
        statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
      }
      this.#docker.modem.dial(request, (error: Error | null, response: unknown) => {
        if (error) reject(error)
        else resolve(response as Duplex | Readable)
      })
    })
  }

  #sort(containers: Docker.ContainerInfo[], known?: Judged): Promise<AgentList> {
    return sortListed(containers, { home: this.#moatHome, known, program: () => this.#program() })
  }

  async #program(): Promise<'docker' | 'podman'> {
    return (await this.#askTraits()).podman ? 'podman' : 'docker'
  }

  /** Asked once; again after a failure. */
  #askTraits(): Promise<EngineTraits> {
    this.#traits ??= readTraits(this.#docker).catch((error: unknown) => {
      this.#traits = undefined
      throw error
    })
    return this.#traits
  }

  async #ask<T>(action: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request()
    } catch (error) {
      if (error instanceof NameReservedError || error instanceof ImageMissingError) throw error
      throw engineError(action, error, this.address)
    }
  }
}

/** Undefined instead of an error when the engine answers with one of `statuses`. */
async function tolerate<T>(statuses: number[], request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request()
  } catch (error) {
    const status = statusOf(error)
    if (status !== undefined && statuses.includes(status)) return undefined
    throw error
  }
}
