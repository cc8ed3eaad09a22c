// Owns what a service is told, and its agent of it: user, password and database, which moat.yaml may set by the service's own names. Pure.
import type { PlannedService } from './plan-services.js'

/** What a service's container is made with. */
export interface ServiceStart {
  command: string[] | undefined
  env: Record<string, string>
  files: { name: string; text: string }[]
}

/** Where its files are in its container. */
export const filesDirectory = '/etc/moat-service'

const word = /\{(\w+)\}/g

/** `password` is the one that has been made for it. */
export function serviceStart(service: PlannedService, password: string): ServiceStart {
  const { env, known } = service
  const values = { ...valuesOf(service, password), files: filesDirectory }
  return {
    command: known.command?.map((text) => filled(text, values)),
    env: { ...mapped(known.env, (text) => filled(text, values)), ...env },
    files: Object.entries(known.files).map(([name, text]) => ({ name, text: filled(text, values) })),
  }
}

/** `MOAT_POSTGRES_URL`, `_HOST`, `_PORT`, and what of user, password and database it has. The Go program says `_DB`. */
export function serviceEnvironment(service: PlannedService, password: string): Record<string, string> {
  const values = valuesOf(service, password)
  const prefix = `MOAT_${service.name.toUpperCase().replaceAll('-', '_')}`
  const { database, user } = values
  const needsPassword = Object.values({ ...service.known.env, ...service.known.files }).some((text) =>
    text.includes('{password}'),
  )
  return {
    [`${prefix}_HOST`]: service.name,
    [`${prefix}_PORT`]: `${service.port}`,
    [`${prefix}_URL`]: filled(service.known.url, mapped(values, encodeURIComponent)),
    ...(user !== undefined && { [`${prefix}_USER`]: user }),
    ...(needsPassword && { [`${prefix}_PASSWORD`]: values.password ?? '' }),
    ...(database !== undefined && { [`${prefix}_DATABASE`]: database, [`${prefix}_DB`]: database }),
  }
}

/** By the names that the catalogue calls them. */
function valuesOf({ env, known, name, port }: PlannedService, password: string): Record<string, string> {
  const own = Object.entries(known.env).flatMap(([key, text]): [string, string][] => {
    const [, value] = /^\{(\w+)\}$/.exec(text) ?? []
    return value !== undefined && env[key] !== undefined ? [[value, env[key]]] : []
  })
  return {
    ...(known.database !== undefined && { database: known.database }),
    host: name,
    password,
    port: `${port}`,
    ...(known.user !== undefined && { user: known.user }),
    ...Object.fromEntries(own),
  }
}

function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(word, (whole, name: string) => values[name] ?? whole)
}

function mapped(all: Readonly<Record<string, string>>, change: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, change(value)]))
}
