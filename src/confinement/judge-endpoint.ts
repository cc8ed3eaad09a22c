// Owns the judgement on what an endpoint says of itself besides its routes: its files, its address, what is shown of it. Pure.
import type { Endpoint, RouteFragment } from '../routing/agent.js'
import { httpProtocols } from '../routing/http-protocols.js'
import { judgeRoutes, type Refusal } from './judge-routes.js'

/** Schemes that a browser runs, or reads this machine with. */
const scripts = new Set(['about', 'blob', 'data', 'file', 'filesystem', 'javascript', 'vbscript', 'view-source'])
/** What terminals and pages show is short and on one line. */
const mostCharacters = 2_000
const mostShown = 50
const mostProtocols = 16
const ports = { least: 1, most: 65_535 }
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const control = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/

/** A path below the directory it starts from. */
export function pathProblem(path: string): string | undefined {
  if (path === '' || path.includes('\0')) return 'is no path'
  if (path.startsWith('/') || path.split('/').includes('..')) return 'leaves the directory it starts from'
  return undefined
}

/** An address that is not the proxy's. */
export function urlProblem(url: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(url)?.[1]
  if (scheme === undefined || /\s/.test(url)) return 'is not a URL'
  return scripts.has(scheme) ? `is a ${scheme}: address, which browsers may run or read files with` : textProblem(url)
}

/** A path of the endpoint's own, to ask for. */
export function ownPathProblem(path: string): string | undefined {
  if (!/^\/(?![/\\])\S*$/.test(path)) return 'is not a path such as /health'
  return textProblem(path)
}

export function textProblem(text: string): string | undefined {
  if (text.length > mostCharacters) return `is longer than ${mostCharacters} characters`
  return control.test(text) ? 'has control characters in it' : undefined
}

/** Why the proxy must not serve what a fragment asks for; undefined when it may. */
export function judgeFragment({ files, named, routes, upstream }: RouteFragment): Refusal | undefined {
  if (files) {
    const inner = Object.entries({ fallback: files.fallback, root: files.root })
    for (const [name, path] of inner) {
      const problem = path === undefined ? undefined : pathProblem(path)
      if (problem !== undefined) return { path: `files.${name}`, refused: problem }
    }
  }
  if (named && !isPort(named.port)) return { path: 'named.port', refused: 'is not a port' }
  if (named?.alpn && !(named.alpn.length <= mostProtocols && named.alpn.every(isProtocolName)))
    return { path: 'named.alpn', refused: 'is not a list of protocols' }
  if (named?.start !== undefined && named.start !== 'postgres') return { path: 'named.start', refused: 'is not known' }
  if (upstream && !isPort(upstream.port)) return { path: 'upstream.port', refused: 'is not a port' }
  if (upstream?.host !== undefined && !isHost(upstream.host))
    return { path: 'upstream.host', refused: 'is not the name of a host' }
  const judged = routes ? judgeRoutes(routes) : undefined
  return judged && 'refused' in judged ? judged : undefined
}

/** The endpoint without what must not be shown or followed. */
export function shownEndpoint(endpoint: Endpoint): Endpoint {
  const { columns, links, readiness, url, ...rest } = endpoint
  const shownColumns = Object.entries(columns ?? {}).filter((pair) => pair.every((text) => !textProblem(text)))
  const shownLinks = (links ?? []).filter(({ title, url }) => !textProblem(title) && !textProblem(url))
  const asksWell = readiness?.kind !== 'http' || ownPathProblem(readiness.path) === undefined
  return {
    ...rest,
    ...(columns && { columns: Object.fromEntries(shownColumns.slice(0, mostShown)) }),
    ...(links && { links: shownLinks.slice(0, mostShown) }),
    ...(readiness && asksWell && { readiness }),
    ...(url !== undefined && urlProblem(url) === undefined && { url }),
  }
}

/** What clients ask for by ALPN. Browsers' are not among them: what those speak is HTTP, and has routes. */
export function isProtocolName(name: string): boolean {
  return /^[\w.+/-]{1,64}$/.test(name) && !httpProtocols.includes(name)
}

/** `host` or `host:port`, as it may stand in a Host header. */
export function isHost(host: string): boolean {
  return host.length <= 255 && /^([a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(host)
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= ports.least && port <= ports.most
}
