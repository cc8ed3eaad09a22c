// Owns the doorkeeper: the program between containers and Caddy, which knows by the socket which agent a connection comes
// from, tells Caddy, and lets no agent have more than its share. It outlives a supervisor, as Caddy does.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { openLog } from '../config/open-log.js'
import type { MoatPaths } from '../config/paths.js'
import { messageOf, systemCode } from '../errors.js'
import { readProcess } from '../processes/process-facts.js'
import { hasEnded } from '../processes/same-process.js'
import { forwarderBinary } from './install-forwarder.js'

/** How long it may take to begin, and to answer. Milliseconds. */
const startDeadline = 3_000
const answerDeadline = 3_000
const checkInterval = 10
/** How long it may take to end; it lets its connections end for two thirds of that. Milliseconds. */
const stopDeadline = 3_000
/** Before it is started again, if it does not last. Milliseconds. */
const restartWait = { first: 50, longest: 5_000 }

export interface DoorkeeperOptions {
  log: (message: string) => void
  paths: Pick<MoatPaths, 'agents' | 'doorsLog' | 'doorsSocket' | 'inside'>
}

export class Doorkeeper {
  readonly #options: DoorkeeperOptions
  #connection: Socket | undefined
  #ending = false
  #id: string | undefined
  #starting: Promise<boolean> | undefined

  constructor(options: DoorkeeperOptions) {
    this.#options = options
  }

  /** Resolves when it listens for every agent that has a directory. False where it cannot be: not on this platform. */
  async scan(): Promise<boolean> {
    if (process.platform !== 'linux' || this.#ending) return false
    const answer = await this.#ask('scan').catch(() => undefined)
    if (answer?.startsWith(`ok ${await this.#ownId()} `)) {
      await this.#follow()
      return true
    }
    return this.#start(answer !== undefined)
  }

  /** Resolves when it has ended; agents' own URLs do not answer in their containers then. */
  async stop(): Promise<void> {
    this.leave()
    await this.#starting?.catch(() => {})
    const answer = await this.#ask('stop').catch(() => '')
    const pid = Number(answer.split(' ')[2])
    const one = Number.isInteger(pid) ? await readProcess(pid) : undefined
    if (one) await hasEnded(one, stopDeadline)
  }

  /** Leaves it to the next supervisor. */
  leave(): void {
    this.#ending = true
    this.#connection?.destroy()
  }

  /** @param replace one of another version, which ends when its connections have. */
  #start(replace: boolean): Promise<boolean> {
    this.#starting ??= this.#startOnce(replace).finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async #startOnce(replace: boolean): Promise<boolean> {
    if (replace) await this.#ask('stop').catch(() => {})
    const { agents, doorsLog, doorsSocket, inside } = this.#options.paths
    const flags = ['--agents', agents, '--tls', inside.tls, '--plain', inside.plain, '--control', doorsSocket]
    const id = await this.#ownId()
    const log = openLog(doorsLog)
    try {
      const child = startAsInvokingUser((ids) =>
        spawn(forwarderBinary(), ['doors', ...flags, '--id', id], {
          cwd: '/',
          detached: true,
          env: {},
          stdio: ['ignore', 'ignore', log],
          ...ids,
        }),
      )
      child.on('error', (error) => this.#options.log(`the doorkeeper does not start: ${messageOf(error)}`))
      child.unref()
    } finally {
      closeSync(log)
    }
    const end = performance.now() + startDeadline
    while (performance.now() < end) {
      const answer = await this.#ask('scan').catch(() => undefined)
      if (answer?.startsWith(`ok ${id} `)) {
        await this.#follow()
        return true
      }
      await wait(checkInterval)
    }
    this.#options.log(`the doorkeeper does not answer; see ${doorsLog}`)
    return false
  }

  /** A connection that says nothing ends when the doorkeeper does. */
  async #follow(): Promise<void> {
    if (this.#connection && !this.#connection.destroyed) return
    const connection = connect(this.#options.paths.doorsSocket).unref()
    this.#connection = connection
    connection.on('error', () => {})
    connection.once('close', () => void this.#revive(restartWait.first))
  }

  async #revive(pause: number): Promise<void> {
    if (this.#ending) return
    this.#connection = undefined
    await wait(pause, undefined, { ref: false })
    if (this.#ending || (await this.scan())) return
    await this.#revive(Math.min(pause * 2, restartWait.longest))
  }

  async #ask(what: 'scan' | 'stop'): Promise<string> {
    const socket = connect(this.#options.paths.doorsSocket)
    socket.setTimeout(answerDeadline, () => socket.destroy(new Error('the doorkeeper does not answer')))
    socket.write(`${what}\n`)
    return (await text(socket)).trim()
  }

  /** Of the program that this moat has: another one is an earlier or a later moat's. */
  async #ownId(): Promise<string> {
    this.#id ??= createHash('sha256')
      .update(await this.#program())
      .digest('hex')
      .slice(0, 16)
    return this.#id
  }

  async #program(): Promise<Buffer> {
    return readFile(forwarderBinary()).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return Buffer.alloc(0)
      throw error
    })
  }
}
