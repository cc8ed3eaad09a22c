// Owns the labels that make a container an agent: their names, and how they are written.
import { createHash } from 'node:crypto'
import type { Agent } from '../routing/agent.js'

export const labels = {
  /** Of an agent whose workspace is a git worktree, and the repository's id. */
  branch: 'dev.moat.branch',
  /** Of an agent that works in a clone of its own; the image it was made of, in which git can look into that. */
  clone: 'dev.moat.clone',
  /** Of an agent whose ports have URLs as soon as something listens there. */
  discover: 'dev.moat.discover',
  endpoints: 'dev.moat.endpoints',
  /** The proxy's ports that its container hands on to it, e.g. `8080` or `443,80`. */
  forwards: 'dev.moat.forwards',
  /** Names of the grants that it has, e.g. `github,npm@work`. */
  grants: 'dev.moat.grants',
  /** The `~/.moat` an agent belongs to, so that two of them on one engine keep to their own agents. */
  home: 'dev.moat.home',
  /** Of an image that moat built. */
  image: 'dev.moat.image',
  /** Of a container that is kept when its agent ends. */
  keep: 'dev.moat.keep',
  name: 'dev.moat.name',
  /** What the agent may reach, as JSON; see src/egress/policy.ts. */
  network: 'dev.moat.network',
  /** Ports of its container that are published, and those that they are for, e.g. `61001=5432`. */
  relays: 'dev.moat.relays',
  repository: 'dev.moat.repository',
  routes: 'dev.moat.routes',
  runId: 'dev.moat.run-id',
  /** What proves that moat itself made this very container; see seal.ts. */
  seal: 'dev.moat.seal',
  /** Of an agent: what runs beside it, as JSON. */
  services: 'dev.moat.services',
  /** How the proxy gets to its servers: `sockets`, or without it published ports. */
  wayIn: 'dev.moat.way-in',
  workspace: 'dev.moat.workspace',
} as const

/** Of a service's container, which has none of what makes an agent. */
export const serviceLabels = {
  home: labels.home,
  /** Whose it is. */
  run: 'dev.moat.service-of',
  /** As moat.yaml calls it. */
  service: 'dev.moat.service',
  /** The process that started it, e.g. `4711@123456`. */
  starter: 'dev.moat.service-starter',
} as const

/** All that moat reads, and whatever it may come to read, begins so. */
export const labelPrefix = 'dev.moat.'

/** What the labels carry. */
export type LabelledAgent = Pick<
  Agent,
  | 'branch'
  | 'clone'
  | 'discover'
  | 'endpoints'
  | 'forwards'
  | 'grants'
  | 'keep'
  | 'name'
  | 'network'
  | 'relays'
  | 'repository'
  | 'routes'
  | 'runId'
  | 'services'
  | 'wayIn'
  | 'workspace'
>

/** The labels of a container that is `agent`. `home` is the absolute path of its `~/.moat`. */
export function toLabels(agent: LabelledAgent & { home?: string }): Record<string, string> {
  return {
    ...(agent.branch !== undefined && { [labels.branch]: agent.branch }),
    ...(agent.clone !== undefined && { [labels.clone]: agent.clone }),
    ...(agent.discover && { [labels.discover]: 'true' }),
    [labels.endpoints]: JSON.stringify(agent.endpoints),
    ...(agent.forwards && { [labels.forwards]: agent.forwards.join() }),
    ...(agent.grants && agent.grants.length > 0 && { [labels.grants]: agent.grants.join() }),
    ...(agent.home !== undefined && { [labels.home]: agent.home }),
    ...(agent.keep && { [labels.keep]: 'true' }),
    [labels.name]: agent.name,
    ...(agent.network && { [labels.network]: JSON.stringify(agent.network) }),
    ...(agent.relays && {
      [labels.relays]: Object.entries(agent.relays)
        .map((pair) => pair.join('='))
        .join(),
    }),
    ...(agent.repository !== undefined && { [labels.repository]: agent.repository }),
    [labels.routes]: JSON.stringify(agent.routes),
    [labels.runId]: agent.runId,
    ...(agent.services && { [labels.services]: JSON.stringify(agent.services) }),
    ...(agent.wayIn && { [labels.wayIn]: agent.wayIn }),
    [labels.workspace]: agent.workspace,
  }
}

/**
 * The container name an agent reserves: the same for everybody who asks for `name` under the same `~/.moat`, and
 * another one for other users of the same engine.
 */
export function containerName(name: string, home: string): string {
  return `moat-${name}-${createHash('sha256').update(home).digest('hex').slice(0, 8)}`
}
