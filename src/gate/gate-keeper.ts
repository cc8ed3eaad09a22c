// Owns the gate's life, for the supervisor: started when the first agent needs it, taken over from a supervisor that was killed,
// started again when it ends, and told of agents and their policies. It outlives a supervisor, as Caddy does.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { openLog } from '../config/open-log.js'
import type { MoatPaths } from '../config/paths.js'
import { messageOf } from '../errors.js'
import { type GatedAgent, type GateStatus, gatePaths } from './gate-table.js'
import { clearGates, ownGates } from './own-gates.js'
import { testHostsVariable } from './test-hosts.js'

/** How long it may take to begin, and to answer. Milliseconds. */
const startDeadline = 10_000
const answerDeadline = 5_000
const checkInterval = 20
/** How long it may take to end; it lets its connections end for most of that. Milliseconds. */
const stopDeadline = 4_000
/** Before it is started again; twice as long each time, until it lasts. Milliseconds. */
const restartWait = { first: 50, longest: 5_000 }
const stableAfter = 10_000
/** Names are looked up in threads: a slow name server for one agent is to keep no other waiting. */
const threads = '32'
/** As the supervisor's: it lives for days, mostly idle. */
const thrifty = ['--max-semi-space-size=4']

const program = fileURLToPath(new URL('../../bin/gate.js', import.meta.url))
/** Changes with everything the program is made of: the names of the files it loads stand in it. */
const code = fileURLToPath(new URL('../../dist/gate/gate-process.js', import.meta.url))

export interface GateKeeperOptions {
  env: NodeJS.ProcessEnv
  log: (message: string) => void
  /** Called when it was started again by itself: it has another password for Caddy. */
  onRestart?: () => void
  paths: Pick<MoatPaths, 'gateLog' | 'gateSocket' | 'home'>
}

export class GateKeeper {
  readonly #options: GateKeeperOptions
  #agents: readonly GatedAgent[] = []
  #connection: Socket | undefined
  #ending = false
  #id: string | undefined
  /** Why agents have no way out, if they have not. */
  problem: string | undefined
  #pause = restartWait.first
  #reviving = false
  #startedAt = Number.NEGATIVE_INFINITY
  #starts = 0
  #telling: Promise<unknown> = Promise.resolve()
  /** Undefined before anybody has looked. */
  #used: boolean | undefined

  constructor(options: GateKeeperOptions) {
    this.#options = options
  }

  /** Resolves when these agents, and no others, have the way out that their policies leave them. */
  async apply(agents: readonly GatedAgent[]): Promise<void> {
    this.#agents = agents
    // What an earlier supervisor started may serve agents that are gone.
    if (agents.length === 0) this.#used ??= (await ownGates(this.#options.paths.home)).length > 0
    else this.#used = true
    if (!this.#used) return
    await this.#bring()
  }

  /** Resolves when it has ended: agents under a strict policy reach nothing then. */
  async stop(): Promise<void> {
    this.leave()
    await this.#telling.catch(() => {})
    await endGate(this.#options.paths)
  }

  /** Leaves it to the next supervisor. */
  leave(): void {
    this.#ending = true
    this.#connection?.destroy()
  }

  /** One after the other: the last table is the one that counts. */
  #bring(): Promise<void> {
    const next = this.#telling.catch(() => {}).then(() => this.#tell())
    this.#telling = next
    return next
  }

  async #tell(): Promise<void> {
    if (this.#ending) return
    try {
      const status = await askGate(this.#options.paths.gateSocket, 'PUT', gatePaths.table, this.#agents)
      if (status?.id !== (await this.#ownId())) await this.#start()
      this.#follow()
      this.problem = undefined
    } catch (error) {
      this.problem = `Agents with a network policy reach nothing: ${messageOf(error)}.`
      this.#options.log(this.problem)
      void this.#revive()
    }
  }

  /** In place of one of another version, and of one that does not answer. */
  async #start(): Promise<void> {
    const { env, log, paths } = this.#options
    await endGate(paths)
    const id = await this.#ownId()
    const output = openLog(paths.gateLog)
    try {
      const child = startAsInvokingUser((ids) =>
        spawn(process.execPath, [...thrifty, program, paths.home, id], {
          cwd: '/',
          detached: true,
          env: gateEnvironment(env),
          stdio: ['ignore', 'ignore', output],
          ...ids,
        }),
      )
      child.on('error', (error) => log(`the gate does not start: ${messageOf(error)}`))
      child.unref()
    } finally {
      closeSync(output)
    }
    const end = performance.now() + startDeadline
    while (performance.now() < end && !this.#ending) {
      const status = await askGate(paths.gateSocket, 'PUT', gatePaths.table, this.#agents)
      if (status?.id !== id) {
        await wait(checkInterval)
        continue
      }
      this.#startedAt = performance.now()
      this.#starts += 1
      return log(`the gate (pid ${status.pid}) serves`)
    }
    throw new Error(`the gate does not answer; see ${paths.gateLog}`)
  }

  /** A connection that says nothing ends when the gate does. */
  #follow(): void {
    if (this.#ending || (this.#connection && !this.#connection.destroyed)) return
    const connection = connect(this.#options.paths.gateSocket).unref()
    this.#connection = connection
    connection.on('error', () => {})
    connection.once('close', () => {
      if (this.#connection === connection) this.#connection = undefined
      if (performance.now() - this.#startedAt > stableAfter) this.#pause = restartWait.first
      void this.#revive()
    })
  }

  async #revive(): Promise<void> {
    if (this.#ending || this.#reviving) return
    this.#reviving = true
    await wait(this.#pause, undefined, { ref: false })
    this.#pause = Math.min(this.#pause * 2, restartWait.longest)
    this.#reviving = false
    const starts = this.#starts
    await this.#bring()
    if (this.#starts !== starts) this.#options.onRestart?.()
  }

  async #ownId(): Promise<string> {
    this.#id ??= createHash('sha256')
      .update(await readFile(code))
      .digest('hex')
      .slice(0, 16)
    return this.#id
  }
}

/** Nothing of what a shell may set for Node, and no proxy of the user's: the gate is one. */
function gateEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = ['HOME', 'PATH', 'TZ', testHostsVariable]
  return { ...Object.fromEntries(kept.map((name) => [name, env[name]])), UV_THREADPOOL_SIZE: threads }
}

/** Ends the gate of this `~/.moat`, if there is one; resolves when it is gone. */
export async function endGate({ gateSocket, home }: Pick<MoatPaths, 'gateSocket' | 'home'>): Promise<void> {
  const before = await ownGates(home)
  if (before.length === 0) return
  await askGate(gateSocket, 'POST', gatePaths.stop)
  const end = performance.now() + stopDeadline
  while ((await ownGates(home)).length > 0 && performance.now() < end) await wait(checkInterval)
  await clearGates(home)
}

/** What the gate answers; undefined when none does. */
async function askGate(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<GateStatus | undefined> {
  return new Promise((resolve) => {
    const request = httpRequest({ agent: false, method, path, socketPath, timeout: answerDeadline })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(undefined))
    request.on('response', (response) => {
      const answer = json(response) as Promise<GateStatus>
      answer.then(
        (status) => resolve(response.statusCode === 200 ? status : undefined),
        () => resolve(undefined),
      )
    })
    request.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
