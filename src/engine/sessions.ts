// Owns the second half of the port to the engine: looking into containers that exist, and running programs in them.
import type { Duplex } from 'node:stream'
import type { Coming } from '../processes/at-rest.js'
import type { Listener } from '../routing/listening.js'

export interface ExecSpec {
  command: string[]
  /** Give it a terminal; its output is then one stream, on stdout. */
  tty: boolean
  /**
   * Default: the container's own. As root a program has nothing of the container's environment, which the agent may have chosen: a
   * library to load, a directory to find programs in. Any other user of this machine has what the container has.
   */
  user?: 'root' | { gid: number; uid: number }
}

/** What a program in a container writes. The streams end when it does. */
export interface SessionOutput {
  stderr: NodeJS.ReadableStream
  stdout: NodeJS.ReadableStream
}

/** A program running in a container. */
export interface ExecSession {
  /** Resolves once it has ended and its output has been handed on. */
  exitCode: Promise<number>
  output: SessionOutput
  resize(size: TerminalSize): Promise<void>
  /** To it and what it has started. Rejects when it could not be told: the image has no shell, or it has just ended. */
  signal(name: SignalName): Promise<void>
  /** Ending it ends the program's stdin. */
  stdin: Duplex
}

/** Without SIG, as `kill -s` takes it. */
export type SignalName = 'HUP' | 'INT' | 'KILL' | 'PIPE' | 'TERM'

export interface TerminalSize {
  columns: number
  rows: number
}

export interface LogOptions {
  /** Go on until the container ends. */
  follow: boolean
  /** Only the last lines. */
  tail?: number
}

/** What a container uses now. */
export interface ContainerUsage {
  /** Percent of one CPU. */
  cpu: number
  /** Bytes written on top of the image. */
  disk: number
  /** Bytes. */
  memory: number
}

/** What listens in a container now. */
export interface ContainerListeners {
  listeners: Listener[]
  /** False when looking costs a program run in the container. */
  quick: boolean
  /** ISO 8601. */
  startedAt: string
}

export interface ImageInfo {
  /** Bytes. */
  size: number
  /** Names, or the id of an image without one. */
  tags: string[]
  /** True when a container was made from it. */
  used: boolean
}

export interface EngineSessions {
  /** Resolves when the container's programs rest, all of them waiting for something, or have ended, or the signal is given. Never rejects. */
  comeToRest(containerId: string, signal: AbortSignal): Promise<Coming>
  exec(containerId: string, spec: ExecSpec): Promise<ExecSession>
  /** Rejects when the container cannot be looked into. */
  listeners(containerId: string): Promise<ContainerListeners>
  /** What the container has written, oldest first. */
  logs(containerId: string, options: LogOptions): Promise<SessionOutput>
  usage(containerId: string): Promise<ContainerUsage>
  /** Images that moat built. */
  images(): Promise<ImageInfo[]>
  /** Tells an interactive container how large its terminal is. */
  resize(containerId: string, size: TerminalSize): Promise<void>
  removeImage(tag: string): Promise<void>
  version(): Promise<{ name: string; version: string }>
}
