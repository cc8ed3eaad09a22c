// Owns what supervisor and clients say to each other: HTTP over the control socket, and one line on the ready pipe.
import type { UnsealedContainer } from '../engine/unsealed.js'
import type { SerializedError } from '../errors.js'
import type { Agent, CaddyRoute } from '../routing/agent.js'
import { defaultDomain, type ProxyAddress } from '../routing/urls.js'

export { controlPaths } from './control-paths.js'

/**
 * How agents are made, known and reached. Whatever changes that raises the number: a supervisor of another one cannot serve
 * agents of this moat, also where the version is the same. 2: with seals, by sockets. 3: with ports that are
 * reached by name.
 */
export const agentContract = 3

/** What `GET /status` answers, and each line of `POST /hold`. */
export interface SupervisorStatus {
  /** Running agents that have endpoints, or a policy. */
  agents: Agent[]
  ca: string
  /** `layer4`: whether its port serves plain HTTP and TCP by name, too. One from before there was a choice does not say. */
  caddy: { layer4?: boolean; pid: number | undefined; version: string }
  /** What its URLs end in; a supervisor from before there was a choice does not say. */
  domain?: string
  /** Where the engine answers whose agents it serves. */
  engine?: string
  /** True when the proxy stays although no agent needs it (`moat proxy start`). */
  kept: boolean
  port: number
  /** What keeps the proxy from serving the latest routes, if anything does. */
  problem?: string
  supervisor: { contract?: number; pid: number; version: string }
  /** Containers that claim to be agents and are not; a supervisor from before there were seals does not say. */
  unsealed?: UnsealedContainer[]
}

/** False for a supervisor that has to hand over to one of this moat. */
export function isOfThisMoat({ supervisor }: Pick<SupervisorStatus, 'supervisor'>, version: string): boolean {
  return supervisor.version === version && supervisor.contract === agentContract
}

/** Where the running proxy is. */
export function addressOf({ domain = defaultDomain, port }: Pick<SupervisorStatus, 'domain' | 'port'>): ProxyAddress {
  return { domain, port }
}

/** The one line a starting supervisor writes to its ready pipe. */
export type ReadyMessage =
  | { authorityCreated: boolean; ready: true }
  | { error: SerializedError; ready: false }
  /** Another supervisor has the lock: there is nothing to start. */
  | { ready: false; superseded: true }

/** What a supervisor is started with, as JSON in its only argument. */
export interface SupervisorArguments {
  domain: string
  /** The port of a proxy that was killed, in URLs that are known already: taken if it is free. */
  formerPort?: number
  keep: boolean
  port: number
  version: string
}

/** What `POST /check` is asked: whether Caddy takes the routes of an agent's endpoints. */
export interface RouteQuestion {
  endpoint: string
  plugin: string
  routes: CaddyRoute[]
}

/** What `POST /record` is asked: whose requests to report, one line each. */
export interface RecordingQuestion {
  /** All of the agent's if left out. */
  endpoint?: string
  runId: string
}

/** The HTTP status of a supervisor that is stopping. */
export const stoppingStatus = 503
