// Owns the labels that make a container an agent: their names, how they are written, and how they are read back.
import { createHash } from 'node:crypto'
import { z } from 'zod/mini'
import type { NetworkPolicy } from '../egress/policy.js'
import type { Agent, AgentService, Endpoint, RouteFragment } from '../routing/agent.js'
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

// zod/mini: short commands read labels too, and the schemas of zod itself take twice as long to make.
z.config(z.locales.en())
const dnsLabel = z.string().check(z.refine(isDnsLabel, 'is not a lower-case DNS label'))
const port = z.int().check(z.minimum(1), z.maximum(65_535))
const runId = z.string().check(z.regex(/^run_[0-9a-f]{12}$/, 'is not run_ and 12 hex digits'))
const workspace = z.string().check(z.minLength(1, 'is empty'))
const forwards = z.array(port).check(z.minLength(1))
const grants = z.array(
  z.string().check(z.regex(/^(ssh:[a-z0-9.:-]+|[a-z0-9-]+)(@[a-z0-9-]+)?$/, 'is not a valid name for a grant')),
)
const relays = z.record(z.string(), port)
const wayIn = z.literal('sockets')
const services = z.array(z.object({ image: z.string(), name: dnsLabel, port }))
const endpoints = z.array(
  z.object({
    columns: z.exactOptional(z.record(z.string(), z.string())),
    links: z.exactOptional(z.array(z.object({ title: z.string(), url: z.string() }))),
    name: dnsLabel,
    plugin: z.exactOptional(z.string()),
    port: z.exactOptional(port),
    readiness: z.exactOptional(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('http'), path: z.string() }),
        z.object({ kind: z.literal('none') }),
        z.object({ kind: z.literal('tcp'), port }),
      ]),
    ),
    type: z.string().check(z.minLength(1)),
    url: z.exactOptional(z.string()),
  }),
)
const routes = z.array(
  z.object({
    default: z.exactOptional(z.boolean()),
    endpoint: dnsLabel,
    files: z.exactOptional(z.object({ browse: z.boolean(), fallback: z.exactOptional(z.string()), root: z.string() })),
    named: z.exactOptional(
      z.object({
        alpn: z.exactOptional(z.array(z.string())),
        port,
        start: z.exactOptional(z.enum(['postgres'])),
      }),
    ),
    // What they may hold is judged in confinement, where they become config.
    routes: z.exactOptional(z.array(z.looseObject({ handle: z.array(z.looseObject({ handler: z.string() })) }))),
    upstream: z.exactOptional(
      z.object({
        host: z.exactOptional(z.string()),
        port,
        protocol: z.enum(['http', 'https', 'h2c']),
        redirects: z.exactOptional(z.literal('keep')),
      }),
    ),
  }),
)

const effect = z.enum(['allow', 'deny'])
const network = z.object({
  host: z.array(port),
  peers: z.array(dnsLabel),
  policy: z.enum(['permissive', 'strict']),
  rules: z.array(
    z.object({
      effect,
      grant: z.exactOptional(z.string()),
      host: z.string().check(z.minLength(1)),
      paths: z.exactOptional(
        z.array(z.object({ effect, method: z.string(), path: z.string(), place: z.exactOptional(z.string()) })),
      ),
      place: z.exactOptional(z.string()),
      port: z.exactOptional(port),
      text: z.string(),
    }),
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
    endpoints: read<Endpoint[]>(values, labels.endpoints, endpoints, parseJson),
    ...(values[labels.forwards] && { forwards: read(values, labels.forwards, forwards, parseNumbers) }),
    ...(values[labels.grants] && { grants: read(values, labels.grants, grants, (text) => text.split(',')) }),
    keep: values[labels.keep] === 'true',
    name: read(values, labels.name, dnsLabel),
    ...(values[labels.network] && { network: read<NetworkPolicy>(values, labels.network, network, parseJson) }),
    ...(values[labels.relays] && { relays: read<Record<number, number>>(values, labels.relays, relays, parsePairs) }),
    ...(repository && { repository }),
    routes: read<RouteFragment[]>(values, labels.routes, routes, parseJson),
    runId: read(values, labels.runId, runId),
    ...(values[labels.services] && {
      services: read<AgentService[]>(values, labels.services, services, parseJson),
    }),
    ...(values[labels.wayIn] && { wayIn: read(values, labels.wayIn, wayIn) }),
    workspace: read(values, labels.workspace, workspace),
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
  schema: z.ZodMiniType<T>,
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
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const place = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''
  throw new UnreadableLabelError(label, `${place}${issue?.message}`)
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
