// Owns how clients of databases are told where to connect: reading data/clients.yaml.
import { z } from 'zod'
import { ownData } from '../config/own-data.js'

const words = z.array(z.string().min(1))
const way = z.strictObject({
  arguments: words.default([]),
  env: z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string()).default({}),
  /** Others than usual. */
  programs: words.min(1).optional(),
})
const client = z.strictObject({
  named: way.optional(),
  plain: way,
  ports: z.array(z.int()).default([]),
  /** Those that take `arguments`; the first is what is shown. */
  programs: words.min(1),
  schemes: words.default([]),
})

export type ClientWay = z.infer<typeof way>
export type KnownClient = z.infer<typeof client>

/** The clients of an endpoint with such a URL and such a port in its container. */
export function clientOf(url: string, port: number | undefined, clients = readClients()): KnownClient {
  const scheme = url.slice(0, url.indexOf(':'))
  // Whoever leaves the scheme out says nothing by it.
  const byPort = scheme === 'tcp' ? clients.find(({ ports }) => port !== undefined && ports.includes(port)) : undefined
  const found = clients.find(({ schemes }) => schemes.includes(scheme)) ?? byPort ?? clients.at(-1)
  if (!found) throw new Error('data/clients.yaml is empty.')
  return found
}

function readClients(): KnownClient[] {
  return Object.values(z.record(z.string(), client).parse(ownData('clients')))
}
