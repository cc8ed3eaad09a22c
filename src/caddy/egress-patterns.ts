// Owns rules as Caddy matches them: hosts and paths as regular expressions. Caddy judges what is written plainly, which nearly
// everything is: nobody can read it in two ways. About all else it asks moat, which judges with `decide` itself. Pure.
import { echoingMethod } from '../egress/opening-words.js'
import type { NetworkRule, PathRule } from '../egress/policy.js'

/** What Caddy's matchers look at, exactly as it was sent. */
export const rawUri = '{http.request.orig_uri}'

/** Letters of a path that mean themselves, whoever reads it: not `%`, nor `;`, which some take for an end, nor `\`. */
const plainLetter = "[A-Za-z0-9._~!$&'()*+,=:@-]"
const plainPattern = /^[A-Za-z0-9._~!$&'()+,=:@-]+$/

/** Matcher sets for requests about which Caddy asks. */
export const oddRequest = [
  // No empty segment, no encoding.
  { not: [matches(rawUri, `(?s)^/(?:${plainLetter}+/)*${plainLetter}*(?:\\?.*)?$`)] },
  // No `.` and `..`.
  matches(rawUri, String.raw`^[^?]*/\.\.?(?:[/?]|$)`),
  // Nobody needs to be quick about a long one.
  matches(rawUri, '^[^?]{1000}'),
  { not: [matches('{http.request.method}', '^[A-Z][A-Z0-9_-]*$')] },
]

/** A WebSocket over HTTP/2 is asked for with CONNECT; it is the GET of before. */
export const webSocketOverHttp2 = { header: { ':protocol': ['websocket'] }, method: ['CONNECT'] }

/** Matcher sets for what a connection may be changed to. Of several values, Caddy puts commas between them. */
export const noUpgrade = matches('{http.request.header.Upgrade}', '^$')
export const webSocket = { ...matches('{http.request.header.Upgrade}', '(?i)^websocket$'), method: ['GET'] }

export const echoingMethods = matches('{http.request.method}', `(?i)${echoingMethod.source}`)

/** A host and port of the shape that Caddy may put into an address: no brackets, no number that is an address in disguise. */
export const plainTarget = matches(
  '{http.request.hostport}',
  '(?i)^(?:[a-z0-9_-]+\\.)*[a-z0-9_-]+(?::[1-9][0-9]{0,4})?$',
)
export const numericHost = matches('{http.request.host}', String.raw`(?i)(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$`)

/** For requests to the host and port that a rule is about; the same as `findRule`. A denial without a port is of every port. */
export function targetOf({ effect, host, paths, port }: NetworkRule): object {
  const ports = port !== undefined ? [port] : effect === 'deny' && !paths ? undefined : [80, 443]
  return matches('{http.request.hostport}', `(?i)^${hostPattern(host)}${portPattern(ports)}$`)
}

export function targetsOf(hosts: readonly string[], ports: readonly number[]): object {
  return matches('{http.request.hostport}', `(?i)^(?:${hosts.map(hostPattern).join('|')})${portPattern(ports)}$`)
}

/** For a handshake's name. */
export function serverNamePattern(hosts: readonly string[]): string {
  return `(?i)^(?:${hosts.map(hostPattern).join('|')})$`
}

/** True when what a line says of a plain path can be said without asking. */
export function isPlainLine({ path }: PathRule): boolean {
  return partsOf(path).every((part) => isWild(part) || (plainPattern.test(part) && part !== '.' && part !== '..'))
}

/** Matcher sets for the plain requests that a plain line is about. */
export function lineMatchers({ method, path }: PathRule): object[] {
  const located = matches(rawUri, `^${partsOf(path).map(partPattern).join('')}/?(?:\\?|$)`)
  if (method === '*') return [located]
  if (method === 'GET')
    return [
      { ...located, method: [method] },
      { ...located, ...webSocketOverHttp2 },
    ]
  return [{ ...located, method: [method] }]
}

/** One placeholder: of several, Caddy takes any that matches for all. */
export function matches(placeholder: string, pattern: string): { vars_regexp: object } {
  return { vars_regexp: { [placeholder]: { pattern } } }
}

function hostPattern(host: string): string {
  if (host === '*') return '[a-z0-9_.-]+'
  return host.startsWith('*.') ? String.raw`(?:[a-z0-9_-]+\.)+${escaped(host.slice(2))}` : escaped(host)
}

/** 443 needs not be named. */
function portPattern(ports: readonly number[] | undefined): string {
  if (!ports) return '(?::[0-9]+)?'
  return ports.includes(443) ? `(?::(?:${ports.join('|')}))?` : `:(?:${ports.join('|')})`
}

function partPattern(part: string): string {
  if (part === '**') return '(?:/[^/?]+)*'
  return part === '*' ? '/[^/?]+' : `/${escaped(part)}`
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '')
}

function isWild(part: string): boolean {
  return part === '*' || part === '**'
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}
