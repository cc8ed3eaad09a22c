// Owns the schema of ~/.moat/config.yaml. Apart from settings.ts because it loads zod, which takes time.
import { z } from 'zod'
import type { PolicyMode } from '../egress/policy.js'
import { checkConfig, parseConfig } from './load-yaml.js'
import { needed } from './needed.js'
import { policyMode } from './network-schema.js'
import { collectionError, domain, isPortNumber, leaf, ofKeys, portNumber, text as textValue } from './schema-parts.js'
import { type SnapshotTriggers, snapshotSettings } from './snapshots-schema.js'

/** What a moat.yaml may ask for that reaches beyond the box, as config.yaml has rules for it. */
export const powerKeys = [
  'base_image',
  'dependencies',
  'dns',
  'grants',
  'hooks',
  'host_ports',
  'mounts',
  'network',
  'network_host',
  'peers',
  'runtime',
  'secrets',
  'services',
  'volumes',
] as const
export type PowerKey = (typeof powerKeys)[number]

/** Patterns for what is asked for, as text. */
export type PowerRules = Partial<Record<PowerKey, string[]>>

/** What the user has set in config.yaml. */
export interface Settings {
  /** What is allowed without a question. */
  approvals: PowerRules
  caddy: { mirror?: string }
  /** What is refused, whoever allows it. */
  never: PowerRules
  /** For agents whose moat.yaml has no policy. */
  network: { policy?: PolicyMode }
  proxy: { domain?: string; port?: number }
  snapshots: { disabled?: boolean; retention?: number; triggers?: SnapshotTriggers }
}

const proxy = needed(() =>
  z.strictObject(
    { domain: domain().optional(), port: portNumber().optional() },
    { error: collectionError('a mapping such as {port: 8080}') },
  ),
)

const caddy = needed(() =>
  z.strictObject(
    { mirror: textValue().optional() },
    { error: collectionError("a mapping such as {mirror: 'https://mirror.example/caddy-{os}-{arch}'}") },
  ),
)

const network = needed(() =>
  z.strictObject({ policy: policyMode().optional() }, { error: collectionError('a mapping such as {policy: strict}') }),
)

/** A mapping of lists of patterns, one for each power. A directory may end in `:ro` where that means something. */
function rules(modes: 'modes' | 'no modes', example: string) {
  const directory = modes === 'modes' ? /^(\*|(~|\/)[^:]*(:ro)?)$/ : /^(\*|(~|\/)[^:]*)$/
  const isDirectory = (value: unknown) => typeof value === 'string' && directory.test(value) && !/^~[^/]/.test(value)
  const port = (value: unknown) => value === '*' || isPortNumber(value)
  const list = (item: z.ZodType<number | string>) =>
    z.array(item, { error: collectionError('a list') }).transform((all) => all.map(String))
  const lists = {
    base_image: list(textValue()),
    dependencies: list(textValue()),
    dns: list(textValue()),
    grants: list(textValue()),
    hooks: list(textValue()),
    host_ports: list(leaf<number | string>('a port number from 1 to 65535, or "*"', port)),
    mounts: list(leaf<string>('a directory such as "~/data" or "/srv/data", or "*"', isDirectory)),
    network: list(textValue()),
    network_host: list(leaf<number | string>('a port number from 1 to 65535, or "*"', port)),
    peers: list(textValue()),
    runtime: list(textValue()),
    secrets: list(textValue()),
    services: list(textValue()),
    volumes: list(textValue()),
  } satisfies Record<PowerKey, unknown>
  return z
    .strictObject(lists, { error: collectionError(`a mapping such as ${example}`) })
    .partial()
    .transform((parsed): PowerRules => parsed as PowerRules)
}

const keys = {
  approvals: needed(() => rules('modes', '{mounts: [~/data]}').optional()),
  caddy: needed(() => caddy().optional()),
  never: needed(() => rules('no modes', '{mounts: [~/.ssh]}').optional()),
  network: needed(() => network().optional()),
  proxy: needed(() => proxy().optional()),
  snapshots: needed(() => snapshotSettings().optional()),
}

const schemaFor = (value: unknown) =>
  z.strictObject(ofKeys(keys, value), { error: collectionError('a mapping such as {proxy: {port: 8080}}') })

const knownKeys = {
  '': Object.keys(keys),
  approvals: powerKeys,
  caddy: ['mirror'],
  never: powerKeys,
  network: ['policy'],
  proxy: ['domain', 'port'],
  snapshots: ['disabled', 'retention', 'triggers'],
}

/** The settings in the text of the file; an empty one sets nothing. Throws one CONFIG_INVALID with every problem. */
export async function parseSettings(displayFile: string, text: string): Promise<Settings> {
  const source = parseConfig(displayFile, text)
  if (!source) return { approvals: {}, caddy: {}, never: {}, network: {}, proxy: {}, snapshots: {} }
  const settings = await checkConfig(displayFile, text, source, schemaFor(source.value), knownKeys)
  const mirror = settings.caddy?.mirror
  const { domain, port } = settings.proxy ?? {}
  const policy = settings.network?.policy
  const { disabled, retention, triggers } = settings.snapshots ?? {}
  return {
    approvals: settings.approvals ?? {},
    caddy: mirror === undefined ? {} : { mirror },
    never: settings.never ?? {},
    network: policy === undefined ? {} : { policy },
    proxy: { ...(domain !== undefined && { domain }), ...(port !== undefined && { port }) },
    snapshots: {
      ...(disabled !== undefined && { disabled }),
      ...(retention !== undefined && { retention }),
      ...(triggers && { triggers }),
    },
  }
}
