// Owns the labels that make a container an agent: their names, how they are written, and how they are read back.
import { createHash } from 'node:crypto'
import {
  array,
  byKind,
  integer,
  MisshapenError,
  object,
  oneOf,
  recordOf,
  type Shape,
  text,
  textThat,
  truth,
} from '../config/shapes.js'
import type { NetworkPolicy } from '../egress/policy.js'
import type { Agent, AgentService, CaddyRoute, Endpoint, RouteFragment } from '../routing/agent.js'
import { isDnsLabel } from '../routing/dns-label.js'

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

/** Thrown for a label that is missing or says something moat does not understand. */
export class UnreadableLabelError extends Error {
  override readonly name = 'UnreadableLabelError'

  constructor(
    readonly label: string,
    reason: string,
  ) {
    super(`label ${label}: ${reason}`)
  }
}

const dnsLabel = textThat(isDnsLabel, 'is not a lower-case DNS label')
const port = integer(1, 65_535)
const runId = textThat((value) => /^run_[0-9a-f]{12}$/.test(value), 'is not run_ and 12 hex digits')
const filled = textThat((value) => value !== '', 'is empty')
const forwards = array(port, { min: 1 })
const grants = array(
  textThat((value) => /^(ssh:[a-z0-9.:-]+|[a-z0-9-]+)(@[a-z0-9-]+)?$/.test(value), 'is not a valid name for a grant'),
)
const relays = recordOf(port)
const wayIn = oneOf('sockets')
const services: Shape<AgentService[]> = array(object({ image: text, name: dnsLabel, port }))
const endpoints: Shape<Endpoint[]> = array(
  object(
    { name: dnsLabel, type: filled },
    {
      columns: recordOf(text),
      links: array(object({ title: text, url: text })),
      plugin: text,
      port,
      readiness: byKind({
        http: object({ kind: oneOf('http'), path: text }),
        none: object({ kind: oneOf('none') }),
        tcp: object({ kind: oneOf('tcp'), port }),
      }),
      url: text,
    },
  ),
)
/** With whatever else it has: what it may hold is judged in confinement, where it becomes config. */
const caddyRoute = (value: unknown) => {
  object({ handle: array(object({ handler: text })) })(value)
  return value as CaddyRoute
}
const routes: Shape<RouteFragment[]> = array(
  object(
    { endpoint: dnsLabel },
    {
      default: truth,
      files: object({ browse: truth, root: text }, { fallback: text }),
      named: object({ port }, { alpn: array(text), start: oneOf('postgres') }),
      routes: array(caddyRoute),
      upstream: object({ port, protocol: oneOf('http', 'https', 'h2c') }, { host: text, redirects: oneOf('keep') }),
    },
  ),
)

const effect = oneOf('allow', 'deny')
const network: Shape<NetworkPolicy> = object({
  host: array(port),
  peers: array(dnsLabel),
  policy: oneOf('permissive', 'strict'),
  rules: array(
    object(
      { effect, host: filled, text },
      {
        grant: text,
        paths: array(object({ effect, method: text, path: text }, { place: text })),
        place: text,
        port,
      },
    ),
  ),
})

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

/** The agent that a container's labels describe. Throws UnreadableLabelError for the first label it cannot read. */
export function fromLabels(values: Readonly<Record<string, string>>): LabelledAgent {
  const { [labels.branch]: branch, [labels.clone]: clone, [labels.repository]: repository } = values
  return {
    ...(branch && { branch }),
    ...(clone && { clone }),
    ...(values[labels.discover] === 'true' && { discover: true }),
    endpoints: read(values, labels.endpoints, endpoints, parseJson),
    ...(values[labels.forwards] && { forwards: read(values, labels.forwards, forwards, parseNumbers) }),
    ...(values[labels.grants] && { grants: read(values, labels.grants, grants, (text) => text.split(',')) }),
    keep: values[labels.keep] === 'true',
    name: read(values, labels.name, dnsLabel),
    ...(values[labels.network] && { network: read(values, labels.network, network, parseJson) }),
    ...(values[labels.relays] && { relays: read<Record<number, number>>(values, labels.relays, relays, parsePairs) }),
    ...(repository && { repository }),
    routes: read(values, labels.routes, routes, parseJson),
    runId: read(values, labels.runId, runId),
    ...(values[labels.services] && {
      services: read(values, labels.services, services, parseJson),
    }),
    ...(values[labels.wayIn] && { wayIn: read(values, labels.wayIn, wayIn) }),
    workspace: read(values, labels.workspace, filled),
  }
}

/**
 * The container name an agent reserves: the same for everybody who asks for `name` under the same `~/.moat`, and
 * another one for other users of the same engine.
 */
export function containerName(name: string, home: string): string {
  return `moat-${name}-${createHash('sha256').update(home).digest('hex').slice(0, 8)}`
}

function read<T>(
  values: Readonly<Record<string, string>>,
  label: string,
  shape: Shape<T>,
  parse: (text: string) => unknown = (text) => text,
): T {
  const text = values[label]
  if (text === undefined) throw new UnreadableLabelError(label, 'is missing')
  let value: unknown
  try {
    value = parse(text)
  } catch {
    throw new UnreadableLabelError(label, 'is not JSON')
  }
  try {
    return shape(value)
  } catch (error) {
    if (!(error instanceof MisshapenError)) throw error
    const place = error.path.length > 0 ? `${error.path.join('.')}: ` : ''
    throw new UnreadableLabelError(label, `${place}${error.message}`)
  }
}

/** `443,80` */
function parseNumbers(text: string): unknown {
  return text.split(',').map(Number)
}

/** `61001=5432,61002=6379` */
function parsePairs(text: string): unknown {
  return Object.fromEntries(text.split(',').map((pair) => pair.split('=', 2).map(Number)))
}

function parseJson(text: string): unknown {
  return JSON.parse(text)
}
