// Owns how the labels of an agent's container are read back. Loaded once there is a container to read: zod takes a quarter of a short command.
import { z } from 'zod/mini'
import { needed } from '../config/needed.js'
import type { NetworkPolicy } from '../egress/policy.js'
import type { AgentService, Endpoint, RouteFragment } from '../routing/agent.js'
import { isDnsLabel } from '../routing/dns-label.js'
import { type LabelledAgent, labels } from './labels.js'

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
const dnsLabel = needed(() => z.string().check(z.refine(isDnsLabel, 'is not a lower-case DNS label')))
const port = needed(() => z.int().check(z.minimum(1), z.maximum(65_535)))
const runId = needed(() => z.string().check(z.regex(/^run_[0-9a-f]{12}$/, 'is not run_ and 12 hex digits')))
const workspace = needed(() => z.string().check(z.minLength(1, 'is empty')))
const forwards = needed(() => z.array(port()).check(z.minLength(1)))
const grants = needed(() =>
  z.array(
    z.string().check(z.regex(/^(ssh:[a-z0-9.:-]+|[a-z0-9-]+)(@[a-z0-9-]+)?$/, 'is not a valid name for a grant')),
  ),
)
const relays = needed(() => z.record(z.string(), port()))
const wayIn = needed(() => z.literal('sockets'))
const services = needed(() => z.array(z.object({ image: z.string(), name: dnsLabel(), port: port() })))
const endpoints = needed(() =>
  z.array(
    z.object({
      columns: z.exactOptional(z.record(z.string(), z.string())),
      links: z.exactOptional(z.array(z.object({ title: z.string(), url: z.string() }))),
      name: dnsLabel(),
      plugin: z.exactOptional(z.string()),
      port: z.exactOptional(port()),
      readiness: z.exactOptional(
        z.discriminatedUnion('kind', [
          z.object({ kind: z.literal('http'), path: z.string() }),
          z.object({ kind: z.literal('none') }),
          z.object({ kind: z.literal('tcp'), port: port() }),
        ]),
      ),
      type: z.string().check(z.minLength(1)),
      url: z.exactOptional(z.string()),
    }),
  ),
)
const routes = needed(() =>
  z.array(
    z.object({
      default: z.exactOptional(z.boolean()),
      endpoint: dnsLabel(),
      files: z.exactOptional(
        z.object({ browse: z.boolean(), fallback: z.exactOptional(z.string()), root: z.string() }),
      ),
      named: z.exactOptional(
        z.object({
          alpn: z.exactOptional(z.array(z.string())),
          port: port(),
          start: z.exactOptional(z.enum(['postgres'])),
        }),
      ),
      // What they may hold is judged in confinement, where they become config.
      routes: z.exactOptional(z.array(z.looseObject({ handle: z.array(z.looseObject({ handler: z.string() })) }))),
      upstream: z.exactOptional(
        z.object({
          host: z.exactOptional(z.string()),
          port: port(),
          protocol: z.enum(['http', 'https', 'h2c']),
          redirects: z.exactOptional(z.literal('keep')),
        }),
      ),
    }),
  ),
)
const effect = needed(() => z.enum(['allow', 'deny']))
const network = needed(() =>
  z.object({
    host: z.array(port()),
    peers: z.array(dnsLabel()),
    policy: z.enum(['permissive', 'strict']),
    rules: z.array(
      z.object({
        effect: effect(),
        grant: z.exactOptional(z.string()),
        host: z.string().check(z.minLength(1)),
        paths: z.exactOptional(
          z.array(
            z.object({ effect: effect(), method: z.string(), path: z.string(), place: z.exactOptional(z.string()) }),
          ),
        ),
        place: z.exactOptional(z.string()),
        port: z.exactOptional(port()),
        text: z.string(),
      }),
    ),
  }),
)

/** The agent that a container's labels describe. Throws UnreadableLabelError for the first label it cannot read. */
export function fromLabels(values: Readonly<Record<string, string>>): LabelledAgent {
  const { [labels.branch]: branch, [labels.clone]: clone, [labels.repository]: repository } = values
  return {
    ...(branch && { branch }),
    ...(clone && { clone }),
    ...(values[labels.discover] === 'true' && { discover: true }),
    endpoints: read<Endpoint[]>(values, labels.endpoints, endpoints(), parseJson),
    ...(values[labels.forwards] && { forwards: read(values, labels.forwards, forwards(), parseNumbers) }),
    ...(values[labels.grants] && { grants: read(values, labels.grants, grants(), (text) => text.split(',')) }),
    keep: values[labels.keep] === 'true',
    name: read(values, labels.name, dnsLabel()),
    ...(values[labels.network] && { network: read<NetworkPolicy>(values, labels.network, network(), parseJson) }),
    ...(values[labels.relays] && { relays: read<Record<number, number>>(values, labels.relays, relays(), parsePairs) }),
    ...(repository && { repository }),
    routes: read<RouteFragment[]>(values, labels.routes, routes(), parseJson),
    runId: read(values, labels.runId, runId()),
    ...(values[labels.services] && {
      services: read<AgentService[]>(values, labels.services, services(), parseJson),
    }),
    ...(values[labels.wayIn] && { wayIn: read(values, labels.wayIn, wayIn()) }),
    workspace: read(values, labels.workspace, workspace()),
  }
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
