// Owns the services that moat knows: reading data/services.yaml.
import { z } from 'zod'
import { ownData } from '../config/own-data.js'

/** How a server is asked whether it is ready. */
export type Language = 'memcached' | 'mongodb' | 'mysql' | 'postgres' | 'redis'

export interface KnownService {
  /** In place of the image's own, with `{files}`. */
  command?: string[] | undefined
  database?: string | undefined
  /** What the image's start is told, with `{user}`, `{password}`, `{database}`. */
  env: Record<string, string>
  /** Below `{files}`. */
  files: Record<string, string>
  /** What it is. */
  for: string
  /** Without its tag. */
  image: string
  name: string
  port: number
  speaks: Language
  url: string
  user?: string | undefined
  /** The tag where nobody says one. */
  version: string
}

/** Made when the file is read: few moat.yaml have services. */
function schema() {
  const words = z.string().min(1)
  const mapping = z.record(words, words)
  const service = z.strictObject({
    command: z.array(words).min(1).optional(),
    database: words.optional(),
    env: mapping.default({}),
    files: mapping.default({}),
    for: words,
    image: words,
    port: z.int().min(1).max(65_535),
    speaks: z.enum(['memcached', 'mongodb', 'mysql', 'postgres', 'redis']),
    url: words,
    user: words.optional(),
    version: words,
  })
  return z.record(words, service)
}

let known: ReadonlyMap<string, KnownService> | undefined

/** Every service by its name, in the order of the file. */
export function knownServices(): ReadonlyMap<string, KnownService> {
  known ??= read()
  return known
}

function read(): ReadonlyMap<string, KnownService> {
  const entries = Object.entries(schema().parse(ownData('services')))
  return new Map(entries.map(([name, service]) => [name, { name, ...service }]))
}
