// Owns how rules are written, as text: a host and its port, a line about paths, and both in one for the command line. What is
// wrong is said with what to write instead, as the end of a sentence about the text. Pure.
import { canonicalHost, isAddress } from './hosts.js'
import { readPath } from './paths.js'
import type { Effect, PathRule } from './policy.js'

export interface RuleTarget {
  host: string
  port?: number
}

/** How a rule about a path is written: in moat.yaml, or as a word in a shell. */
const inYaml = (host: string, path: string) => `${quote(host)}: [${quote(`allow * ${path}`)}]`
const inShell = (host: string, path: string) => quote(`${host} * ${path}`)

/** `packages.example.com`, `*.example.com`, `db.example.com:5432`, `192.0.2.1`, `[2001:db8::1]:443`. A string says what is wrong. */
export function readTarget(text: string, withPath = inYaml): RuleTarget | string {
  const quoted = JSON.stringify(text)
  if (text === '') return 'is empty; it must be a host such as "packages.example.com"'
  if (/\s/.test(text)) return `must be a host without spaces, not ${quoted}`
  const url = urlProblem(text, withPath)
  if (url !== undefined) return url
  if (text.includes('@'))
    return `must be a host without a user, not ${quoted}; write ${quote(text.replace(/^.*@/, ''))}`
  const parts = splitPort(text)
  if (!parts) return `must be a host, or a host and a port, not ${quoted}; an IPv6 address has brackets before a port`
  const port = parts.port === undefined ? undefined : portOf(parts.port)
  if (port === null) return `has the port ${quote(parts.port ?? '')}; a port is a number from 1 to 65535`
  const host = readHostPattern(parts.host)
  if (typeof host !== 'object') return host
  return { ...host, ...(port !== undefined && { port }) }
}

/** `allow GET /repos/**`, `deny * /**`. A string says what is wrong. */
export function readPathRule(text: string): PathRule | string {
  const quoted = JSON.stringify(text)
  const [effect = '', method = '', path = '', ...rest] = text.trim().split(/\s+/)
  const expected = 'must be "allow" or "deny", a method or *, and a path, such as "allow GET /repos/**"'
  if (effect !== 'allow' && effect !== 'deny') {
    const better = ['allow', ...text.trim().split(/\s+/)].join(' ')
    return `${expected}, not ${quoted}${typeof readPathRule(better) === 'object' && effect !== '' ? `; write ${quote(better)}` : ''}`
  }
  if (method.startsWith('/') && path === '') return `has no method; write ${quote(`${effect} * ${method}`)}`
  if (path === '' || rest.length > 0) return `${expected}, not ${quoted}`
  if (method !== '*' && !/^[A-Za-z][\w-]*$/.test(method))
    return `has the method ${quote(method)}; write GET, POST, … or *`
  const problem = patternProblem(path)
  return problem ?? { effect, method: method.toUpperCase(), path }
}

/** A rule on the command line: a host, or a host with a method and a path: `api.github.com GET /repos/**`. */
export function readRuleText(
  text: string,
  effect: Effect,
): (RuleTarget & { effect: Effect; paths?: PathRule[]; text: string }) | string {
  const [first = '', ...line] = text.trim().split(/\s+/)
  const target = readTarget(first, inShell)
  if (typeof target === 'string') return target
  const shown = `${effect === 'deny' ? 'deny: ' : ''}${first}`
  if (line.length === 0) return { ...target, effect, text: shown }
  const path = readPathRule([effect, ...line].join(' '))
  // The effect of such a rule is that of its line.
  return typeof path === 'string' ? path : { ...target, effect: 'allow', paths: [path], text: text.trim() }
}

function readHostPattern(text: string): { host: string } | string {
  if (text === '*') return { host: '*' }
  const below = text.startsWith('*.') ? text.slice(2) : undefined
  const name = below ?? text
  if (name.includes('*')) {
    return `has a "*" where it means nothing; write "*.example.com" for all hosts below example.com, or "*" for every host`
  }
  const host = canonicalHost(name)
  if (host === undefined) return `must be a host such as "packages.example.com", not ${quote(text)}`
  if (host.split('.').some((label) => label.startsWith('-')))
    return `has a "-" at the beginning of a name, as no host has, not ${quote(text)}`
  if (/[^\x21-\x7e]/.test(name))
    return `must be written as browsers send it; write ${quote(below === undefined ? host : `*.${host}`)}`
  const plain = name
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
  if (isAddress(host) && !name.includes(':') && host !== plain) return `is the address ${host}; write ${quote(host)}`
  if (isAddress(host) && below !== undefined) return `has a "*" before an address; write ${quote(host)}`
  if (isOwnMachine(host)) {
    return 'is your own machine; list its ports under "network.host", and other agents under "network.peers"'
  }
  return { host: below === undefined ? host : `*.${host}` }
}

/** This machine, as seen from the gate. */
function isOwnMachine(host: string): boolean {
  return /^(localhost|.*\.localhost|127\..*|0\.0\.0\.0|::1?)$/.test(host)
}

/** For a URL, or a host with a path. */
function urlProblem(text: string, withPath: typeof inYaml): string | undefined {
  const [, scheme = '', authority = '', path = ''] = /^([A-Za-z][\w+.-]*:\/\/)?([^/?#]*)(.*)$/s.exec(text) ?? []
  if (scheme === '' && path === '') return undefined
  const target = authority === '' ? 'example.com' : authority
  // All that is below is what `*` at the end is meant for.
  const clean = path.replace(/[?#].*$/s, '').replace(/\/+\**$/, '')
  if (scheme === '' && /^\/\d+$/.test(clean))
    return `is a range of addresses, which a rule cannot name; list each address`
  const what = scheme !== '' ? 'a scheme' : 'a path'
  const instead = clean === '' ? quote(target) : withPath(target, `${clean}/**`)
  return `must be a host without ${what}, not ${quote(text)}; write ${instead}`
}

/** Undefined for text that is no host with a port. */
function splitPort(text: string): { host: string; port?: string } | undefined {
  const bracketed = /^(\[[^\]]*\])(?::(.*))?$/.exec(text)
  if (bracketed) return { host: bracketed[1] ?? '', ...(bracketed[2] !== undefined && { port: bracketed[2] }) }
  const [host = '', port, ...more] = text.split(':')
  if (more.length > 0) return /^[0-9A-Fa-f:.]+$/.test(text) ? { host: text } : undefined
  return { host, ...(port !== undefined && { port }) }
}

/** Null for what is no port. */
function portOf(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : null
}

function patternProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return `has the path ${quote(path)}; it must begin with "/"`
  if (/[?#]/.test(path))
    return `has the path ${quote(path)}; queries are not looked at: write ${quote(path.replace(/[?#].*$/s, ''))}`
  const parts = path.split('/').slice(1)
  if (parts.some((part) => part.includes('*') && part !== '*' && part !== '**'))
    return `has the path ${quote(path)}; "*" stands for a whole segment and "**" for any number of them, not for a part of one`
  const clean = parts.filter((part, index) => part !== '' || index === parts.length - 1)
  if (clean.length < parts.length) return `has the path ${quote(path)}; write ${quote(`/${clean.join('/')}`)}`
  const read = readPath(encodePath(path))
  if (!read) return `has the path ${quote(path)}, which is not one that a request can have`
  const written = parts.filter((part) => part !== '')
  if (read.segments.length < written.length)
    return `has the path ${quote(path)}; write ${quote(`/${read.segments.join('/')}`)}`
  return undefined
}

function encodePath(path: string): string {
  return path.replace(/[^\x21-\x7e]+/gu, (text) => encodeURIComponent(text))
}

function quote(text: string): string {
  return JSON.stringify(text)
}
