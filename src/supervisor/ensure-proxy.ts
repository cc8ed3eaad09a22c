// Owns getting a running proxy: use the one there is, or start one, however many clients want one at the same time.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { homeProblem } from '../config/home-problem.js'
import { asRoot } from '../config/invoking-user.js'
import { openLog } from '../config/open-log.js'
import type { MoatPaths } from '../config/paths.js'
import type { WantedAddress } from '../config/settings.js'
import { shellQuote } from '../config/shell-quote.js'
import { deserializeError, MoatError, messageOf } from '../errors.js'
import { tryFileLock } from '../processes/file-lock.js'
import { listenPorts } from '../routing/urls.js'
import { formerPort } from '../upkeep/served-port.js'
import { silentSupervisor } from '../upkeep/silent-supervisor.js'
import { holdProxy, keepProxy, type ProxyHold, requestStop } from './control-client.js'
import { assertSameEngine, followsEngine } from './other-engine.js'
import {
  addressOf,
  isOfThisMoat,
  type ReadyMessage,
  type SupervisorArguments,
  type SupervisorStatus,
} from './protocol.js'

/** How long a supervisor may take to be ready: it may have to end a Caddy and start another twice. Milliseconds. */
const readyDeadline = 40_000
/** How long one that has the lock may not answer: it is starting, stopping, or making its socket again. Milliseconds. */
const supervisorDeadline = 15_000
/** How often it is asked again meanwhile. Milliseconds. */
const lockPatience = 100
/** How long another command may take to start one. Milliseconds. */
const spawnDeadline = 60_000

/** V8 sets 48 MB aside for what is young, which in a process that lives for days are mostly empty. */
const thrifty = ['--max-semi-space-size=1']

export interface EnsureProxyOptions {
  /** Wraps the start of a supervisor, when there is none to use: the place to show progress. */
  announce?: <T>(start: () => Promise<T>) => Promise<T>
  /** Take a running proxy wherever it is: for those who only look. */
  anyAddress?: boolean
  /** Where the engine answers whose agents are to have URLs. */
  engine?: string
  /** Stay without agents. */
  keep: boolean
  paths: MoatPaths
  /** moat's version: a supervisor of another version hands over to one of this. */
  version: string
  wanted: WantedAddress
}

export interface EnsuredProxy {
  authorityCreated: boolean
  hold: ProxyHold
  /** False when a running proxy was used. */
  started: boolean
}

/** A hold on the running proxy, started if need be. Rejects with a MoatError when it runs on another port, domain or engine. */
export async function ensureProxy(options: EnsureProxyOptions): Promise<EnsuredProxy> {
  const running = await useRunning(options)
  if (running) return { authorityCreated: false, hold: running, started: false }
  try {
    return await startProxy(options)
  } catch (error) {
    throw homeProblem(error, options.paths.home) ?? error
  }
}

async function startProxy(options: EnsureProxyOptions): Promise<EnsuredProxy> {
  const { paths } = options
  const lock = await tryFileLock(paths.spawnLock, spawnDeadline)
  if (!lock) {
    throw new MoatError('SUPERVISOR_FAILED', 'Another moat command is starting the proxy and is taking too long.', {
      suggestions: [`lsof ${shellQuote(paths.spawnLock)}   # which process it is`],
    })
  }
  try {
    // Whoever held the lock before may have started it; one that lost its socket is making it again.
    const started = await awaitSupervisor(options)
    if (started) return { authorityCreated: false, hold: started, started: false }
    const { announce = (start) => start() } = options
    const ready = await announce(() => spawnSupervisor(options))
    const hold = await useRunning(options)
    if (!hold)
      throw new MoatError(
        'SUPERVISOR_FAILED',
        `The proxy ended right after its start; see ${options.paths.supervisorLog}.`,
      )
    return { authorityCreated: ready.authorityCreated, hold, started: true }
  } finally {
    await lock.release()
  }
}

/** A hold on the supervisor there is, once it answers; undefined as soon as there is none. */
export async function awaitSupervisor(options: EnsureProxyOptions): Promise<ProxyHold | undefined> {
  const end = performance.now() + supervisorDeadline
  while (performance.now() < end) {
    const running = await useRunning(options)
    if (running) return running
    // One that is on its way out holds its lock to the very end.
    const free = await tryFileLock(options.paths.supervisorLock, lockPatience)
    await free?.release()
    if (free) return undefined
  }
  throw await silentSupervisor(options.paths)
}

async function useRunning(options: EnsureProxyOptions): Promise<ProxyHold | undefined> {
  const { anyAddress = false, engine, keep, paths, version, wanted } = options
  const hold = await holdProxy(paths.controlSocket)
  if (!hold) return undefined
  const { status } = hold
  if (engine !== undefined && isIdle(status) && !(await followsEngine(status, engine))) {
    hold.release()
    await requestStop(paths.controlSocket)
    return undefined
  }
  try {
    if (engine !== undefined) await assertSameEngine(status, engine)
    if (!anyAddress) {
      assertSameDomain(wanted, status, 'moat proxy stop && moat proxy start')
      assertSamePort(wanted, status.port)
    }
    if (keep && !status.kept) await keepProxy(paths.controlSocket)
  } catch (error) {
    hold.release()
    throw error
  }
  if (isOfThisMoat(status, version)) return hold
  hold.release()
  await requestStop(paths.controlSocket, { leaveCaddy: true })
  options.keep ||= status.kept
  return undefined
}

/** Nothing would be lost with it: it is about to stop by itself. */
function isIdle({ agents, kept }: SupervisorStatus): boolean {
  return agents.length === 0 && !kept
}

/** The running proxy keeps the domain it was started with: its URLs are in use. */
export function assertSameDomain({ domain }: WantedAddress, status: SupervisorStatus, remedy: string): void {
  const running = addressOf(status).domain
  if (running === domain) return
  const message = `The proxy runs on the domain ${running}, but proxy.domain in config.yaml is ${domain}.`
  throw new MoatError('DOMAIN_MISMATCH', message, { suggestions: [remedy] })
}

function assertSamePort(wanted: WantedAddress, running: number): void {
  if (!wanted.explicit || wanted.port === 0 || listenPorts(running).includes(wanted.port)) return
  throw new MoatError(
    'PORT_MISMATCH',
    `The proxy is already running on port ${running}, but port ${wanted.port} was asked for.`,
    {
      suggestions: [`moat proxy stop && moat proxy start --port ${wanted.port}`, `MOAT_PROXY_PORT=${running} moat run`],
    },
  )
}

async function spawnSupervisor(options: EnsureProxyOptions): Promise<{ authorityCreated: boolean }> {
  const { keep, paths, version, wanted } = options
  const args: SupervisorArguments = { domain: wanted.domain, keep, port: wanted.port, version }
  const former = await formerPort(paths)
  // Who asks for a port gets it.
  if (former !== undefined && (options.anyAddress || !wanted.explicit || wanted.port === 0)) args.formerPort = former
  const caddy = process.env.MOAT_CADDY
  const log = openLog(paths.supervisorLog)
  try {
    // With the rights moat was started with: a supervisor under sudo can bind port 443, and gives up the rest itself.
    const child = await asRoot(() =>
      spawn(process.execPath, [...thrifty, supervisorProgram, JSON.stringify(args)], {
        cwd: '/',
        detached: true,
        // The supervisor runs elsewhere: a relative path would lead nowhere.
        env: { ...process.env, MOAT_HOME: paths.home, ...(caddy && { MOAT_CADDY: resolve(caddy) }) },
        stdio: ['ignore', log, log, 'pipe'],
      }),
    )
    child.unref()
    const failed = once(child, 'error').then(([error]) => {
      throw new MoatError('SUPERVISOR_FAILED', `The proxy could not be started: ${messageOf(error)}.`, { cause: error })
    })
    const message = await Promise.race([failed, readReady(child.stdio[3] as Readable, paths)])
    if (message.ready) return message
    if ('error' in message) {
      // Once it is said that there is no proxy, nothing of it is left.
      child.ref()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      throw deserializeError(message.error)
    }
    return { authorityCreated: false }
  } finally {
    closeSync(log)
  }
}

const supervisorProgram = fileURLToPath(new URL('../../bin/supervisor.js', import.meta.url))

async function readReady(pipe: Readable, { supervisorLog }: MoatPaths): Promise<ReadyMessage> {
  let text = ''
  const late = setTimeout(() => pipe.destroy(new Error('late')), readyDeadline)
  try {
    for await (const chunk of pipe) text += chunk
  } catch {
    throw notReady(`The proxy was not ready within ${readyDeadline / 1000} s`, supervisorLog)
  } finally {
    clearTimeout(late)
  }
  if (text === '') throw notReady('The proxy ended before it was ready', supervisorLog)
  return JSON.parse(text) as ReadyMessage
}

function notReady(what: string, log: string): MoatError {
  return new MoatError('SUPERVISOR_FAILED', `${what}; see ${log}.`, { suggestions: [`tail ${shellQuote(log)}`] })
}
