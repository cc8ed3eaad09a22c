// Owns the schema of moat.yaml: its keys, what each may hold, and what is said when it does not.
import { isIP } from 'node:net'
import { z } from 'zod'
import { isEnvName } from './env-flag.js'
import { grants, refuseBoth, secrets } from './grants-schema.js'
import { dependenciesHint, envHint, portsHint } from './habits.js'
import type { Mount } from './mount.js'
import { mountKeys, mounts } from './mounts-schema.js'
import { needed } from './needed.js'
import { network } from './network-schema.js'
import { otherShape } from './other-program.js'
import {
  collectionError,
  dnsLabel,
  endpointNameProblem,
  leaf,
  memoryLimit,
  mustBe,
  ofKeys,
  portNumber,
  text,
} from './schema-parts.js'
import { serviceKeys, services } from './services-schema.js'
import { snapshots } from './snapshots-schema.js'
import { type DeclaredVolume, volumeKeys, volumes } from './volumes-schema.js'

const container = needed(() =>
  z.strictObject(
    {
      cpus: leaf<number>('a number of CPUs above 0', (value) => Number.isFinite(value) && Number(value) > 0).optional(),
      dns: z
        .array(
          leaf<string>('an IP address', (value) => typeof value === 'string' && isIP(value) !== 0),
          { error: collectionError('a list of IP addresses') },
        )
        .optional(),
      memory: memoryLimit().optional(),
      runtime: leaf<string>('the name of a runtime of the engine, such as "runsc"', (value) => {
        return typeof value === 'string' && /^[A-Za-z0-9][\w.-]*$/.test(value)
      }).optional(),
    },
    { error: collectionError('a mapping such as {memory: 4096, cpus: 2}') },
  ),
)

const longEndpoint = needed(() => z.looseObject({ port: portNumber().optional(), type: text().optional() }))

/** `web: 3000` or `web: {port: 3000, type: http, …}`; a union would report the problems of both forms. */
const endpoint = needed(() =>
  z.unknown().transform((value, context) => {
    const isMapping = value instanceof Object && !Array.isArray(value)
    const result = longEndpoint().safeParse(isMapping ? value : { port: value })
    if (result.success) return result.data
    for (const { message, path } of result.error.issues) {
      context.addIssue({ code: 'custom', message, path: isMapping ? path : [] })
    }
    return z.NEVER
  }),
)

const ports = needed(() =>
  z
    .record(z.string(), endpoint(), {
      error: collectionError('a mapping of endpoint names to ports such as {web: 3000}', portsHint),
    })
    .superRefine(...checkKeys(endpointNameProblem)),
)

const env = needed(() =>
  z
    .record(
      z.string(),
      leaf<boolean | number | string>('text, a number or a boolean', (value) => {
        return ['boolean', 'number', 'string'].includes(typeof value)
      }),
      { error: collectionError('a mapping such as {KEY: value}', envHint) },
    )
    .superRefine(
      ...checkKeys((key) => {
        const rule = 'use letters, digits and underscores, and no digit first'
        return isEnvName(key) ? undefined : `${JSON.stringify(key)} is not a variable name: ${rule}`
      }),
    ),
)

const command = needed(() =>
  z.unknown().transform((value, context): string | [string, ...string[]] => {
    const schema = Array.isArray(value) ? z.array(text('empty allowed')) : text()
    const result = schema.safeParse(value)
    const add = (message: string, path: PropertyKey[] = []) => context.addIssue({ code: 'custom', message, path })
    const expected = 'a list such as ["npm", "start"], or text for sh -c'
    if (!result.success && !Array.isArray(value)) add(mustBe(expected, value))
    else if (!result.success) for (const { message, path } of result.error.issues) add(message, path)
    else if (typeof result.data === 'string') return result.data
    else {
      const [program, ...rest] = result.data
      if (program) return [program, ...rest]
      add(
        program === undefined ? `is empty; it must be ${expected}` : mustBe('a program', program),
        program === '' ? [0] : [],
      )
    }
    return z.NEVER
  }),
)

/** One script or several; a union would report the problems of both forms. */
const scripts = needed(() =>
  z.unknown().transform((value, context): string[] => {
    const result = z.array(text()).safeParse(Array.isArray(value) ? value : [value])
    if (result.success) return result.data
    for (const { message, path } of result.error.issues) {
      context.addIssue({ code: 'custom', message, path: Array.isArray(value) ? path : [] })
    }
    return z.NEVER
  }),
)

const hooks = needed(() =>
  z.strictObject(
    { post_build: scripts().optional(), post_build_root: scripts().optional(), pre_run: scripts().optional() },
    { error: collectionError('a mapping such as {pre_run: "npm ci"}') },
  ),
)

/** Checks every key of a mapping, also when its values have problems of their own. */
function checkKeys(problemOf: (key: string) => string | undefined) {
  const check = (mapping: Record<string, unknown>, context: z.RefinementCtx): void => {
    for (const key of Object.keys(mapping)) {
      const message = problemOf(key)
      if (message) context.addIssue({ code: 'custom', message, params: { at: 'key' }, path: [key] })
    }
  }
  return [check, { when: ({ value }: { value: unknown }) => value instanceof Object && !Array.isArray(value) }] as const
}

/** A volume where something else is mounted, or is kept out. */
function refuseShared(
  { mounts = [], volumes = [] }: { mounts?: Mount[] | undefined; volumes?: DeclaredVolume[] | undefined },
  context: z.RefinementCtx,
): void {
  for (const [index, { target }] of volumes.entries()) {
    const other = mounts.findIndex((mount) => mount.target === target || mount.exclude?.includes(target))
    const message = `has the target ${JSON.stringify(target)}, as "mounts[${other}]" has`
    if (other >= 0) context.addIssue({ code: 'custom', message, path: ['volumes', index] })
  }
}

/** Every key that moat.yaml may have, but for mounts. */
const keys = {
  ...otherShape,
  base_image: needed(() => text().optional()),
  command: needed(() => command().optional()),
  container: needed(() => container().optional()),
  dependencies: needed(() =>
    z.array(text(), { error: collectionError('a list such as [node@22]', dependenciesHint) }).optional(),
  ),
  discover: needed(() => leaf<boolean>('true or false', (value) => typeof value === 'boolean').optional()),
  env: needed(() => env().optional()),
  grants: needed(() => grants().optional()),
  hooks: needed(() => hooks().optional()),
  name: needed(() => dnsLabel().optional()),
  network: needed(() => network().optional()),
  ports: needed(() => ports().optional()),
  secrets: needed(() => secrets().optional()),
  services: needed(() => services().optional()),
  snapshots: needed(() => snapshots().optional()),
  stdin: needed(() =>
    leaf<'closed' | 'open'>('open or closed', (value) => value === 'open' || value === 'closed').optional(),
  ),
  volumes: needed(() => volumes().optional()),
}

/**
 * The schema for a moat.yaml in `directory` that says `value`, and for what is left of it without some keys. Asynchronous: it looks
 * whether the sources of mounts exist.
 */
export function moatYamlSchema(directory: string, value: unknown) {
  return z
    .strictObject(ofKeys({ ...keys, mounts: () => mounts(directory).optional() }, value), {
      error: collectionError('a mapping such as {name: my-app}'),
    })
    .superRefine((all, context) => {
      refuseBoth(all, context)
      refuseShared(all, context)
    })
}

/** The keys a mapping in moat.yaml may have, by its path. Not asked of the schemas, which would all be made for one key that is unknown. */
export const moatYamlKeys = {
  '': [
    'name',
    'dependencies',
    'base_image',
    'ports',
    'discover',
    'command',
    'env',
    'mounts',
    'volumes',
    'services',
    'container',
    'hooks',
    'stdin',
    'network',
    'grants',
    'secrets',
    'snapshots',
  ],
  container: ['cpus', 'dns', 'memory', 'runtime'],
  hooks: ['post_build', 'post_build_root', 'pre_run'],
  'mounts[]': mountKeys,
  network: ['policy', 'rules', 'host', 'peers'],
  'services.*': serviceKeys,
  snapshots: ['disabled', 'exclude', 'retention', 'triggers'],
  'volumes[]': volumeKeys,
} as const satisfies Record<string, readonly string[]>
