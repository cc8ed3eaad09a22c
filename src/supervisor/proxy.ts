// Owns what commands ask of the proxy as a whole: its status and its end. Starting it is in ensure-proxy.ts.
import { connect } from 'node:net'
import type { Rotation } from '../authority/rotate.js'
import { type AgentView, viewAgent } from '../routing/agent-view.js'
import { indexUrl, type ProxyAddress } from '../routing/urls.js'
import { readStatus, requestRotation, requestStop } from './control-client.js'
import { assertSameDomain, type EnsureProxyOptions, ensureProxy } from './ensure-proxy.js'
import { waitForFileLock } from './file-lock.js'
import { addressOf, type SupervisorStatus } from './protocol.js'

/** What `moat proxy status --json` prints. Fields may be added, never removed. */
export interface ProxyStatus {
  agents: AgentView[]
  /** Path of the root certificate. */
  ca: string
  caddy: { pid: number | undefined; version: string } | null
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
}

export type ProxyOptions = Omit<EnsureProxyOptions, 'anyAddress' | 'keep'>

/** The proxy's status. A Caddy whose supervisor was killed is given a new one first. */
export async function proxyStatus(options: ProxyOptions): Promise<ProxyStatus> {
  const status = await findProxy(options)
  if (status) return toProxyStatus(status)
  return {
    agents: [],
    ca: options.paths.caCertificate,
    caddy: null,
    domain: options.wanted.domain,
    indexUrl: indexUrl(options.wanted),
    port: options.wanted.port,
    status: 'stopped',
    supervisor: null,
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
  }
}

/** Where the running proxy is, or where one would be started. */
export async function currentAddress({ paths, wanted }: ProxyOptions): Promise<ProxyAddress> {
  const status = await readStatus(paths.controlSocket)
  return status ? addressOf(status) : wanted
}

/** Stops the proxy and waits until its processes are gone. False when none ran. */
export async function stopProxy(options: ProxyOptions): Promise<boolean> {
  const { controlSocket } = options.paths
  // One that is on its way out already answers when it has let go of everything; it gives no status any more.
  if ((await requestStop(controlSocket)) === undefined) {
    if (!(await findProxy(options))) return false
    await requestStop(controlSocket)
  }
  // Held by the supervisor until its very end.
  await (await waitForFileLock(options.paths.supervisorLock)).release()
  return true
}

/**
 * Replaces the root certificate by one for the domain of config.yaml; a running proxy goes on with certificates of the new
 * one. Rejects with DOMAIN_MISMATCH when it runs on another domain, of which the new root would know nothing.
 */
export async function rotateRoot(options: ProxyOptions): Promise<Rotation> {
  const { paths, wanted } = options
  const running = await findProxy(options)
  if (running) {
    assertSameDomain(wanted, running, 'moat proxy stop && moat proxy ca rotate')
    const rotation = await requestRotation(paths.controlSocket)
    if (rotation) return rotation
  }
  // While this is held, no proxy starts with half of a root.
  const lock = await waitForFileLock(paths.supervisorLock)
  try {
    // Certificates are of no concern to who only looks.
    const { rotateAuthority } = await import('../authority/rotate.js')
    return await rotateAuthority(paths, wanted.domain)
  } finally {
    await lock.release()
  }
}

/** The running proxy; a Caddy whose supervisor was killed is given a new one. Undefined when there is neither. */
export async function findProxy(options: ProxyOptions): Promise<SupervisorStatus | undefined> {
  const status = await readStatus(options.paths.controlSocket)
  if (status || !(await accepts(options.paths.adminSocket))) return status
  const { hold } = await ensureProxy({ ...options, anyAddress: true, keep: false })
  hold.release()
  return hold.status
}

/** True when something listens on a unix socket. */
function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
