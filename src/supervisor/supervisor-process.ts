// Owns the supervisor as a process: its argument, its log, its ready pipe and its signals. bin/supervisor.js calls it.
import { createWriteStream } from 'node:fs'
import { keepCompiledCodeNow } from '../config/compile-cache.js'
import { homeProblem } from '../config/home-problem.js'
import { moatPaths } from '../config/paths.js'
import { MoatError, messageOf, serializeError } from '../errors.js'
import { keepOutOfDumps } from '../processes/keep-out-of-dumps.js'
import type { ReadyMessage, SupervisorArguments } from './protocol.js'
import { startSupervisor } from './supervisor.js'

/** The descriptor on which the client that spawned this process waits for one ReadyMessage. */
export const readyDescriptor = 3

/** Supervises until it is no longer needed, as the user whom bin/supervisor.js made this process. `argument` is a SupervisorArguments as JSON. */
export async function runSupervisor(argument: string): Promise<void> {
  // Sockets, logs and everything else this process makes are for this user only.
  process.umask(0o077)
  // Nor is what it, Caddy and the gate have in memory for others: values of grants.
  keepOutOfDumps()
  const args = JSON.parse(argument) as SupervisorArguments
  const log = (message: string) => process.stderr.write(`${new Date().toISOString()} [${process.pid}] ${message}\n`)
  // The log is a file: a full disk is no reason to leave agents without a proxy.
  process.stderr.on('error', () => {})
  process.on('SIGHUP', () => log('ignored SIGHUP'))
  try {
    const supervisor = await startSupervisor({ ...args, env: process.env, log, paths: moatPaths() })
    if (!supervisor) return await tell({ ready: false, superseded: true })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        log(`received ${signal}`)
        supervisor.stop().catch((error) => log(`the proxy did not stop cleanly: ${messageOf(error)}`))
      })
    }
    await tell({ authorityCreated: supervisor.authorityCreated, ready: true })
    keepCompiledCodeNow()
    await supervisor.ended
    await supervisor.close()
  } catch (error) {
    log(`could not start: ${error instanceof Error ? error.stack : error}`)
    const known =
      error instanceof MoatError
        ? error
        : (homeProblem(error, moatPaths().home) ??
          new MoatError('SUPERVISOR_FAILED', `The proxy could not start: ${messageOf(error)}.`))
    await tell({ error: serializeError(known), ready: false })
  }
}

/** Writes to the ready pipe and closes it. A client that is gone by now does not matter. */
async function tell(message: ReadyMessage): Promise<void> {
  const pipe = createWriteStream('', { fd: readyDescriptor })
  await new Promise<void>((resolve) => {
    pipe.once('error', () => resolve())
    pipe.end(`${JSON.stringify(message)}\n`, () => resolve())
  })
}
