// Owns what commands ask of the proxy as a whole. Starting it is in ensure-proxy.ts, its end in stop-proxy.ts: both are more than a look
// at it should pay for, and are imported where they are needed.
import type { RootKind, Rotation } from '../authority/roots.js'
import type { MoatPaths } from '../config/paths.js'
import type { UnsealedContainer } from '../engine/unsealed.js'
import { messageOf } from '../errors.js'
import { takeFileLock, tryFileLock } from '../processes/file-lock.js'
import { type Agent, keepsProxy } from '../routing/agent.js'
import { type AgentView, viewAgent } from '../routing/agent-view.js'
import { indexUrl, type ProxyAddress } from '../routing/urls.js'
import { fileMark } from '../upkeep/file-mark.js'
import { ownCaddys } from '../upkeep/own-processes.js'
import { formerPort } from '../upkeep/served-port.js'
import { silentSupervisor } from '../upkeep/silent-supervisor.js'
import { readStatus, requestRotation } from './control-client.js'
import type { EnsureProxyOptions } from './ensure-proxy.js'
import { addressOf, type SupervisorStatus } from './protocol.js'

/** How long a supervisor that stops may take. Milliseconds. */
export const stopDeadline = 15_000

/** What `moat proxy status --json` prints. Fields may be added, never removed. */
export interface ProxyStatus {
  agents: AgentView[]
  /** Path of the root certificate. */
  ca: string
  caddy: SupervisorStatus['caddy'] | null
  /** What its URLs end in, or would end in. */
  domain: string
  /** The index of all agents, for browsers and as JSON. */
  indexUrl: string
  /** Where the engine answers whose agents it serves; present when it runs. */
  engine?: string
  /** The port it runs on, or would run on. */
  port: number
  /** Present when the proxy runs but cannot follow the engine or restart Caddy. */
  problem?: string
  status: 'running' | 'stopped'
  supervisor: { pid: number } | null
  /** Running agents whose URLs nothing answers at, because the proxy is stopped. Present when there are any. */
  unserved?: AgentView[]
  /** Containers that claim to be agents and are not, or were renamed: none has routes. Present when there are any. */
  unsealed?: UnsealedContainer[]
}

export type ProxyOptions = Omit<EnsureProxyOptions, 'anyAddress' | 'keep'>

/** The proxy's status. A Caddy whose supervisor was killed is given a new one first. */
export async function proxyStatus(options: ProxyOptions): Promise<ProxyStatus> {
  const status = await findProxy(options)
  if (status) return toProxyStatus(status)
  const unserved = await agentsToServe(options.paths)
  return {
    agents: [],
    ca: options.paths.caCertificate,
    caddy: null,
    domain: options.wanted.domain,
    indexUrl: indexUrl(options.wanted),
    port: options.wanted.port,
    status: 'stopped',
    supervisor: null,
    ...(unserved.length > 0 && { unserved: unserved.map((agent) => viewAgent(agent, options.wanted)) }),
  }
}

export function toProxyStatus(status: SupervisorStatus): ProxyStatus {
  const address = addressOf(status)
  return {
    agents: status.agents.map((agent) => viewAgent(agent, address)),
    ca: status.ca,
    caddy: status.caddy,
    domain: address.domain,
    indexUrl: indexUrl(address),
    ...(status.engine !== undefined && { engine: status.engine }),
    port: status.port,
    ...(status.problem !== undefined && { problem: status.problem }),
    status: 'running',
    supervisor: { pid: status.supervisor.pid },
    ...(status.unsealed && status.unsealed.length > 0 && { unsealed: status.unsealed }),
  }
}

export interface CurrentProxy {
  /** Where it is, or where one would be started. */
  address: ProxyAddress
  /** False when nothing answers there. */
  runs: boolean
}

/** The proxy that runs, if one does. One in trouble is a note: this is for those who show agents. */
export async function currentProxy(options: ProxyOptions): Promise<CurrentProxy> {
  try {
    const status = await findProxy(options)
    return { address: status ? addressOf(status) : options.wanted, runs: status !== undefined }
  } catch (error) {
    process.stderr.write(`Note: ${messageOf(error)}\n`)
    return { address: options.wanted, runs: true }
  }
}

/**
 * Replaces the root certificate by one for the domain of config.yaml; a running proxy goes on with certificates of the new
 * one. Rejects with DOMAIN_MISMATCH when it runs on another domain, of which the new root would know nothing.
 */
export async function rotateRoot(options: ProxyOptions, which: RootKind = 'own'): Promise<Rotation> {
  const { paths, wanted } = options
  const running = await findProxy(options)
  if (running) {
    const { assertSameDomain } = await import('./ensure-proxy.js')
    if (which === 'own') assertSameDomain(wanted, running, 'moat proxy stop && moat proxy ca rotate')
    const rotation = await requestRotation(paths.controlSocket, which)
    if (rotation) return rotation
  }
  // While this is held, no proxy starts with half of a root.
  const lock = await tryFileLock(paths.supervisorLock, stopDeadline)
  if (!lock) throw await silentSupervisor(paths)
  try {
    // Certificates are of no concern to who only looks.
    if (which === 'egress') {
      const { rotateEgressAuthority } = await import('../authority/egress-root.js')
      return await rotateEgressAuthority(paths)
    }
    const { rotateAuthority } = await import('../authority/rotate.js')
    return await rotateAuthority(paths, wanted.domain)
  } finally {
    await lock.release()
  }
}

/**
 * The running proxy. A Caddy whose supervisor was killed is given a new one, and agents whose proxy was killed whole get it
 * back. Undefined when there is none, or none is missed.
 */
export async function findProxy(options: ProxyOptions): Promise<SupervisorStatus | undefined> {
  const status = await readStatus(options.paths.controlSocket)
  if (status) return status
  const { paths } = options
  const forAll = { ...options, anyAddress: true, keep: false }
  if (await isSupervised(paths)) {
    const { awaitSupervisor } = await import('./ensure-proxy.js')
    const hold = await awaitSupervisor(forAll)
    hold?.release()
    if (hold) return hold.status
  }
  if ((await ownCaddys(paths)).length === 0 && !(await isWanted(paths))) return undefined
  const { ensureProxy } = await import('./ensure-proxy.js')
  const { hold } = await ensureProxy(forAll)
  hold.release()
  return hold.status
}

/** True when a supervisor holds its lock: one that does not answer has lost its socket, or is just starting or stopping. */
async function isSupervised({ supervisorLock }: MoatPaths): Promise<boolean> {
  if (fileMark(supervisorLock) === undefined) return false
  const lock = await takeFileLock(supervisorLock)
  await lock?.release()
  return lock === undefined
}

/** True when the proxy was not stopped but killed, and agents that had URLs still run. */
async function isWanted(paths: MoatPaths): Promise<boolean> {
  return (await formerPort(paths)) !== undefined && (await agentsToServe(paths)).length > 0
}

/** Running agents that miss a proxy; none without an engine. */
async function agentsToServe(paths: MoatPaths): Promise<Agent[]> {
  // Loaded here: it is more than a look at the proxy should pay for.
  const { connectEngine } = await import('../engine/connect-engine.js')
  try {
    const { agents } = await (await connectEngine({ moatHome: paths.home })).listAgents()
    return agents.filter(keepsProxy)
  } catch {
    return []
  }
}
