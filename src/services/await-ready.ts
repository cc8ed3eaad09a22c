// Owns waiting until a service is ready: by its socket, which is taken out of the directory that its container writes before it is dialled.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { agentDirectory, type MoatPaths } from '../config/paths.js'
import { type LinkOptions, linkSocket } from '../doors/link-socket.js'
import { probeSuffix } from '../routing/way-in.js'
import { greetService } from './greet-service.js'
import type { PlannedService } from './plan-services.js'

/** A database that is made anew takes its time on a slow machine. Milliseconds. */
export const readyDeadline = 180_000
const interval = 100

export interface ReadyOptions {
  /** Where the container makes its sockets. */
  directory: string
  /** Resolves with the exit code when the container ends. */
  ended: Promise<number>
  paths: Pick<MoatPaths, 'agents'>
  runId: string
  signal: AbortSignal
  /** Who must own the socket. */
  uid: number
}

/** Why a service is not ready. */
export type NotReady = { exitCode: number } | { problem: string } | { waited: number }

/** True once it is. Rejects when `signal` says so. */
export async function awaitReady({ known, name }: PlannedService, options: ReadyOptions): Promise<NotReady | true> {
  const { directory, ended, paths, runId, signal } = options
  // The run's own directory: no container writes there, and it goes with the run.
  const staging = agentDirectory(paths, runId)
  // Short: a socket's path has a limit.
  const own = join(staging, `${name.slice(0, 8)}.r`)
  const end = performance.now() + readyDeadline
  let exitCode: number | undefined
  const over = ended.then(
    (code) => {
      exitCode = code
    },
    () => {},
  )
  try {
    while (performance.now() < end) {
      signal.throwIfAborted()
      // Not there yet, or not what it should be: asked again, and then it is not ready.
      const probe = join(directory, `${known.port}${probeSuffix}`)
      if (isLinked(probe, own, { staging, uid: options.uid }) && (await greetService(own, known.speaks))) return true
      if (exitCode !== undefined) return { exitCode }
      await Promise.race([delay(interval), over.then(() => delay(exitCode === undefined ? interval : 0))])
    }
    return { waited: readyDeadline }
  } finally {
    await rm(own, { force: true })
  }
}

function isLinked(socket: string, own: string, options: LinkOptions): boolean {
  try {
    linkSocket(socket, [own], options)
    return true
  } catch {
    return false
  }
}
