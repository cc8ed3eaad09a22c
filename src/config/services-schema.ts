// Owns what moat.yaml may say of services: databases and the like, each in a container beside the agent's.
import { z } from 'zod'
import { isEnvName } from './env-flag.js'
import { needed } from './needed.js'
import { collectionError, leaf, memoryLimit, mustBe, portNumber, text } from './schema-parts.js'

/** A service as declared. Whether moat knows one of that name is looked at where it is planned. */
export interface DeclaredService {
  /** For its container; values as written. */
  env: Record<string, string>
  /** In place of the one that moat would choose. */
  image?: string
  /** The limit of its container, in MiB; default: the agent's. */
  memory?: number
  name: string
  /** In the agent's container; its own by default. */
  port?: number
  /** A tag of the image. */
  version?: string
  /** False when the agent is started before it is ready. */
  wait: boolean
}

/** What a registry takes for a tag. */
const tag = /^\w[\w.-]{0,127}$/
/** As Docker reads a name: a host, a path, a tag, a digest. No spaces, and nothing that looks like a flag. */
const imageName = /^[a-z0-9][\w./:@-]{0,254}$/i
/** Of secrets that lie elsewhere, as the Go program reads them. */
const reference = /^(op|ssm|env|file):\/\//

const flag = needed(() => leaf<boolean>('true or false', (value) => typeof value === 'boolean'))

const version = needed(() =>
  leaf<number | string>('a version, such as 17 or "17-alpine"', (value) => {
    return typeof value === 'string'
      ? tag.test(value)
      : typeof value === 'number' && Number.isFinite(value) && value >= 0
  }),
)

const image = needed(() =>
  text().superRefine((value, context) => {
    if (typeof value !== 'string' || value === '' || imageName.test(value)) return
    context.addIssue({ code: 'custom', message: mustBe('the name of an image, such as postgres:17-alpine', value) })
  }),
)

const env = needed(() =>
  z
    .record(
      z.string(),
      leaf<boolean | number | string>('text, a number or a boolean', (value) => {
        return ['boolean', 'number', 'string'].includes(typeof value)
      }),
      { error: collectionError('a mapping such as {POSTGRES_DB: my_app}') },
    )
    .superRefine((all, context) => {
      const fail = (key: string, message: string, params?: { at: 'key' }) =>
        context.addIssue({ code: 'custom', message, ...(params && { params }), path: [key] })
      for (const [key, value] of Object.entries(all)) {
        const rule = 'use letters, digits and underscores, and no digit first'
        if (!isEnvName(key)) fail(key, `${JSON.stringify(key)} is not a variable name: ${rule}`, { at: 'key' })
        if (typeof value === 'string' && reference.test(value))
          fail(key, 'must be the value itself: a service has no secrets of its user, and moat makes its password')
      }
    }),
)

const example = 'a version such as 17, or a mapping such as {version: 17, env: {POSTGRES_DB: my_app}}'

const mapping = needed(() =>
  z
    .strictObject(
      {
        env: env().optional(),
        image: image().optional(),
        memory: memoryLimit().optional(),
        port: portNumber().optional(),
        version: version().optional(),
        wait: flag().optional(),
      },
      { error: collectionError(example) },
    )
    .superRefine((one, context) => {
      if (one.image === undefined || one.version === undefined) return
      context.addIssue({ code: 'custom', message: 'has an image and a version: write the version into the image' })
    }),
)

export type ParsedService = z.output<ReturnType<typeof mapping>>

/** `postgres: 17` or `postgres: {version: 17, …}`; a union would report the problems of both forms. */
const service = needed(() =>
  z.unknown().transform((value, context): ParsedService => {
    const isMapping = value instanceof Object
    if (!isMapping) {
      const result = version().safeParse(value)
      if (result.success) return { version: result.data }
      context.addIssue({ code: 'custom', message: mustBe(example, value) })
      return z.NEVER
    }
    const result = mapping().safeParse(value)
    if (result.success) return result.data
    for (const issue of result.error.issues) context.addIssue(issue as never)
    return z.NEVER
  }),
)

export const services = needed(() =>
  z.record(z.string(), service(), {
    error: collectionError('a mapping such as {postgres: 17}', (input) =>
      Array.isArray(input) ? '; write {postgres: 17} for [postgres@17]' : '',
    ),
  }),
)

/** Keys of one, for `did you mean`. */
export const serviceKeys = ['env', 'image', 'memory', 'port', 'version', 'wait']

/** With versions and values as they are written: `7.0` is no 7. */
export function toService(
  name: string,
  { env = {}, image, memory, port, version, wait = true }: ParsedService,
  textAt: (path: string[]) => string | undefined,
): DeclaredService {
  const written = textAt(['services', name, 'version']) ?? textAt(['services', name]) ?? String(version)
  return {
    env: Object.fromEntries(
      Object.entries(env).map(([key, value]) => [key, textAt(['services', name, 'env', key]) ?? String(value)]),
    ),
    ...(image !== undefined && { image }),
    ...(memory !== undefined && { memory }),
    name,
    ...(port !== undefined && { port }),
    ...(version !== undefined && { version: written }),
    wait,
  }
}
