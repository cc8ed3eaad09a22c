// Owns where a client connects that wants to reach an endpoint which is not a web server, and how the client is told. Pure but for data.
import { basename } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError } from '../errors.js'
import type { Agent, Endpoint } from '../routing/agent.js'
import { nearestName } from '../routing/nearest-name.js'
import { endpointHost, handshakePort, type ProxyAddress } from '../routing/urls.js'
import { clientOf, type KnownClient } from './known-clients.js'

/** What `moat connect --json` prints. Fields may be added, never removed. */
export interface Connection {
  /** What to connect to; `host` may be a name that not every resolver knows. */
  address: string
  agent: string
  /** Path of the root certificate. */
  ca: string
  /** A command line of a usual client, for a shell. */
  command: string
  endpoint: string
  env: Record<string, string>
  /** What the certificate is for, or the address. */
  host: string
  port: number
  /** True when it is over TLS, by the name. */
  tls: boolean
  /** The endpoint's own address. */
  url: string
}

export interface ConnectionOptions {
  /** Where the proxy is, if it serves ports by name. */
  byName: ProxyAddress | undefined
  /** Path of the root certificate. */
  ca: string
  /** The client that is to be run, with its arguments. */
  client?: readonly string[] | undefined
  endpoint: string | undefined
}

/** The endpoint that is named, or the only one that is not a web server, or that is the client's. Rejects with USAGE or AGENT_NOT_FOUND. */
export function connectionTo(agent: Agent, options: ConnectionOptions): Connection {
  const { name, port, url } = chosenEndpoint(agent, options)
  const client = clientOf(url, port)
  const fragment = agent.routes.find(({ endpoint }) => endpoint === name)
  const named = options.byName && fragment?.named && client.named ? options.byName : undefined
  const own = new URL(url.replace(/^[a-z0-9+.-]+:/i, 'http:'))
  const place = named
    ? { address: '127.0.0.1', host: endpointHost(agent.name, name, named.domain), port: handshakePort(named.port) }
    : { address: own.hostname, host: own.hostname, port: Number(own.port) }
  const words = { ...place, ca: options.ca, port: `${place.port}` }
  const { env } = wayOf(client, named !== undefined)
  const found = {
    agent: agent.name,
    endpoint: name,
    url,
    ...place,
    tls: named !== undefined,
    ca: options.ca,
    env: Object.fromEntries(Object.entries(env).map(([key, text]) => [key, fill(text, words)])),
  }
  const [program = ''] = programsOf(client, found.tls)
  const line = [...Object.entries(found.env).map(([key, text]) => `${key}=${shellQuote(text)}`)]
  return { ...found, command: [...line, ...commandFor(found, client, [program]).map(shellQuote)].join(' ') }
}

/** A command with what its program has to be told, if it is one of those that are known. */
export function commandFor(
  connection: Omit<Connection, 'command'>,
  client: KnownClient,
  [program = '', ...given]: readonly string[],
): string[] {
  const { address, ca, host, port, tls } = connection
  if (!programsOf(client, tls).includes(basename(program))) return [program, ...given]
  const told = wayOf(client, tls).arguments.map((text) => fill(text, { address, ca, host, port: `${port}` }))
  return [program, ...told, ...given]
}

/** The client of the endpoint of a connection. */
export function clientFor(agent: Agent, { endpoint, url }: Pick<Connection, 'endpoint' | 'url'>): KnownClient {
  return clientOf(url, agent.endpoints.find(({ name }) => name === endpoint)?.port)
}

/** Why a client is not told the endpoint's name, if that is so and can be changed. */
export function whyByAddress(agent: Agent, { endpoint, tls }: Connection, proxy: { layer4?: boolean } | undefined) {
  const isNamed = agent.routes.some((route) => route.endpoint === endpoint && route.named)
  if (tls || !isNamed || proxy?.layer4) return undefined
  const why = proxy
    ? 'The proxy’s Caddy has no layer4 module, which moat setup gets'
    : 'The routing proxy is not running'
  return `${why}: this is the endpoint’s own address, without TLS.`
}

type Candidate = Endpoint & { url: string }

function chosenEndpoint(agent: Agent, { client, endpoint: name }: ConnectionOptions): Candidate {
  const candidates = agent.endpoints.filter((one): one is Candidate => hasAddress(one.url))
  const names = candidates.map((one) => one.name)
  const [only, ...others] = name === undefined ? candidates : candidates.filter((one) => one.name === name)
  if (only && others.length === 0) return only
  const [theirs, ...more] = name === undefined && client ? candidates.filter((one) => takes(one, client)) : []
  if (theirs && more.length === 0) return theirs
  const after = client ? [' --', ...client.map(shellQuote)].join(' ') : ''
  const suggestions = names.map((one) => `moat connect ${agent.name} ${one}${after}`)
  const usage = { exit: exitCodes.usage, suggestions: suggestions.length > 0 ? suggestions : ['moat list'] }
  if (candidates.length === 0)
    throw new MoatError('USAGE', `${agent.name} has no endpoint of the type tcp to connect to.`, usage)
  if (name === undefined) throw new MoatError('USAGE', `Say which of them: ${names.join(', ')}.`, usage)
  if (agent.endpoints.some((one) => one.name === name)) {
    const opened = { ...usage, suggestions: [`moat open ${agent.name} ${name}`, ...suggestions] }
    throw new MoatError('USAGE', `${name} of ${agent.name} is a web server: it has a URL.`, opened)
  }
  const nearest = nearestName(name, names)
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  throw new MoatError('AGENT_NOT_FOUND', `${agent.name} has no endpoint ${name}.${hint}`, usage)
}

/** True for an endpoint at which the client is at home, by its program. */
function takes({ port, url }: Candidate, [program = '']: readonly string[]): boolean {
  return clientOf(url, port).programs.includes(basename(program))
}

/** An address with a port, and not that of a site. */
function hasAddress(url: string | undefined): boolean {
  return url !== undefined && /^(?!https?:)[a-z0-9+.-]+:\/\/[^/]*:\d+/i.test(url)
}

function wayOf({ named, plain }: KnownClient, tls: boolean) {
  return tls && named ? named : plain
}

function programsOf(client: KnownClient, tls: boolean): string[] {
  return wayOf(client, tls).programs ?? client.programs
}

function fill(text: string, words: Record<'address' | 'ca' | 'host' | 'port', string>): string {
  return text.replace(/\{(address|ca|host|port)\}/g, (_, word: keyof typeof words) => words[word])
}
