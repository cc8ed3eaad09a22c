// Owns the port to the container engine: all that moat asks of one. dockerode stays behind it.
import type { Agent } from '../routing/agent.js'
import type { AgentEnd } from '../routing/agent-end.js'
import type { EngineFiles } from './files.js'
import type { EngineNetworks } from './networks.js'
import type { EngineServices } from './services.js'
import type { EngineSessions } from './sessions.js'
import type { UnsealedContainer } from './unsealed.js'
import type { EngineVolumes, VolumeMount } from './volumes.js'

/** What to create a container from. Paths and addresses are the host's. */
export interface ContainerSpec {
  /** `none` for a container in which nobody works: not even root has more rights than another user. Default: what agents have. */
  capabilities?: 'none'
  /** Program and arguments; undefined keeps the image's own command. */
  command: string[] | undefined
  cpus?: number
  /** Addresses of name servers; the engine's own choice if left out. */
  dns?: string[]
  /** Program that runs `command`; undefined keeps the image's own. With one, the image's command is not used. */
  entrypoint?: string[]
  env: Record<string, string>
  /** Names that its programs resolve, besides those of the engine. */
  hosts?: { address: string; name: string }[]
  image: string
  /** A terminal and stdin, for a person. */
  interactive?: boolean
  labels: Record<string, string>
  /** MiB. */
  memory?: number
  mounts: { readOnly: boolean; source: string; target: string }[]
  name: string
  /** The engine's network that it is on; the engine's own choice if left out. */
  network?: string
  /** stdin that stays open, though nobody writes to it. */
  openStdin?: boolean
  /** Removed by the engine as soon as it ends. */
  removeAtEnd?: boolean
  /** Container ports to publish on 127.0.0.1; the engine chooses a `hostPort` that is left out, anew at each start. */
  ports: { hostPort?: number; port: number }[]
  /** Directories of its own in memory, which the user writes. */
  tmpfs?: string[]
  /** The lowest port that its programs may listen on without being root; the engine's own choice if left out. */
  unprivilegedPortStart?: number
  /** Host user that owns what the agent writes; `image` for whom the image names. */
  user: 'image' | { gid: number; uid: number }
  /** The program that runs the container, by the engine's name for it; the engine's own choice if left out. */
  runtime?: string
  volumes?: VolumeMount[]
  /** Working directory in the container; the image's own if left out. */
  workdir?: string
}

/** One line of an image pull: a layer, what happens to it, and how far it is. */
export interface PullProgress {
  /** Bytes. */
  current?: number
  layer?: string
  status: string
  /** Bytes. */
  total?: number
}

/** What to build an image from: a Dockerfile alone, without files beside it. */
export interface ImageBuild {
  /** For the build only; they do not stay in the image. */
  buildArgs: Record<string, string>
  dockerfile: string
  /** Run every step, also those whose result the engine still has. */
  noCache: boolean
  tag: string
}

/** Streams of an attached container. They end when the container does. Read both: an unread one holds up the other. */
export interface ContainerOutput {
  stderr: NodeJS.ReadableStream
  /** Present for an interactive container. */
  stdin?: NodeJS.WritableStream
  stdout: NodeJS.ReadableStream
}

/** Thrown by `create` when another container holds the name: the engine's reservation decides, nothing else. */
export class NameReservedError extends Error {
  override readonly name = 'NameReservedError'
}

/** Thrown by `create` when the image is not on the engine. */
export class ImageMissingError extends Error {
  override readonly name = 'ImageMissingError'
}

/** Thrown by `build` when a step fails: says why, in the engine's words. */
export class BuildFailedError extends Error {
  override readonly name = 'BuildFailedError'
}

/** Who has a container name: an agent, or a container that is not moat's, with the command that ends that. */
export type ContainerHolder = { agent: Agent } | { agent?: never; fix: string }

export interface AgentList {
  /** Running or not, oldest first. */
  agents: Agent[]
  /** Agents whose labels cannot be read. */
  unreadable: { containerId: string; name: string; reason: string }[]
  /** Containers that have the labels of an agent of this moat, and that it did not make. */
  unsealed: UnsealedContainer[]
}

export interface EngineWriters {
  /**
   * Acts while no running agent that can write in a directory above one of the real paths goes on: they are paused meanwhile, and
   * stay so if the action calls `keep`. `as` says what is done and how long it may take, where that is not the usual.
   */
  whileHeld<T>(
    paths: readonly string[],
    note: (text: string) => void,
    action: (keep: () => void) => Promise<T>,
    as?: HeldWork,
  ): Promise<T>
}

export interface HeldWork {
  /** Milliseconds. */
  limit: number
  /** Called with how many agents are paused, once they are. */
  onHeld?: (agents: number) => void
  /** As the beginning of a sentence. */
  what: string
}

export interface Engine {
  /** Where it answers, e.g. `unix:///var/run/docker.sock`. */
  readonly address: string
  readonly ends: {
    /** How a container ended; undefined for one that has not, or is gone. */
    of(containerId: string): Promise<AgentEnd | undefined>
  }
  readonly files: EngineFiles
  readonly networks: EngineNetworks
  readonly services: EngineServices
  readonly sessions: EngineSessions
  readonly volumes: EngineVolumes
  readonly writers: EngineWriters
  attach(containerId: string, options?: { interactive?: boolean }): Promise<ContainerOutput>
  /** The engine's account of the build as it is written, in pieces of text. It builds only while that is read. */
  build(build: ImageBuild, signal: AbortSignal): AsyncIterable<string>
  /** Creates without starting; returns the container's id. One with the labels of an agent of this moat is sealed. */
  create(spec: ContainerSpec): Promise<string>
  /** With how they ended, of those that have. */
  listAgents(): Promise<AgentList>
  /** Rejects with ENGINE_FAILED when an agent holds the name whose labels cannot be read. */
  findByContainerName(name: string): Promise<ContainerHolder | undefined>
  hasImage(image: string): Promise<boolean>
  /** True when it runs as the invoking user, and root in a container is that user. */
  isRootless(): Promise<boolean>
  /** True when programs in containers, of this runtime or the usual one, and programs here reach each other by sockets in a shared directory. */
  sharesSockets(runtime?: string): Promise<boolean>
  /** Names of the programs that it can run containers by, such as `runc`. */
  runtimes(): Promise<string[]>
  kill(containerId: string): Promise<void>
  pull(image: string, onProgress: (progress: PullProgress) => void, signal?: AbortSignal): Promise<void>
  /** Removes the container, running or not; resolves when it is gone. Absent is fine. */
  remove(containerId: string): Promise<void>
  start(containerId: string): Promise<void>
  /** SIGTERM, then SIGKILL after `graceSeconds`. Absent or stopped is fine. */
  stop(containerId: string, graceSeconds: number): Promise<void>
  /**
   * Waits for the container's end; resolves with its exit code, also after the end. Call it before `start`, without
   * awaiting it: no exit is then too early to be seen.
   */
  wait(containerId: string): Promise<number>
  /**
   * Calls `onChange` for each event of an agent's container that can change its routes, until `signal` aborts.
   * Resolves once subscribed; `onEnd` is called once if the stream breaks before that.
   */
  watch(handlers: { onChange: () => void; onEnd: (reason: Error) => void }, signal: AbortSignal): Promise<void>
}
