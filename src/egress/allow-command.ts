// Owns the command that would have let a request pass, as it is told wherever one was refused. Pure.
import type { NetworkLogEntry } from './policy.js'
import { readTarget } from './read-rule.js'

/** Ports that a rule need not name. */
const usual = [80, 443]

type Refused = Pick<NetworkLogEntry, 'agent' | 'host' | 'method' | 'path' | 'port' | 'reason' | 'rule'>

/**
 * Undefined where no rule would do: the request itself was not in order, or no rule can name the host. Where a line about paths
 * refused it, no more is allowed than that path; an unusual one is better looked at than pasted.
 */
export function allowCommand({ agent, host, method, path, port, reason, rule }: Refused): string | undefined {
  const [, address] = / address (\S+)$/.exec(reason) ?? []
  if (address === undefined && !/^(rule|no rule.*)$/.test(reason)) return undefined
  // Such a host no rule can name, and as a word of a command it would be a flag.
  if (/(?:^|\.)-/.test(host)) return undefined
  const target = ruleText(address ?? host, port)
  if (!isAboutPath({ reason, rule }) || method === undefined || path === undefined)
    return `moat network allow ${agent} ${target}`
  const isPlain = plainPath.test(path) && plainMethod.test(method)
  return isPlain ? `moat network allow ${agent} "${target} ${method} ${path}"` : undefined
}

/** What there is to be read where no such command would do. */
export function logCommand(agent: string): string {
  return `moat network log ${agent}`
}

/** A path that means the same to a shell, to a rule and to every server. */
export const plainPath = /^(?!$)(?:\/[\w~-][\w.~-]*)*\/?$/
export const plainMethod = /^[A-Z]+$/

/** True where a line about paths decided, or none did of those of the host. */
export function isAboutPath({ reason, rule }: { reason: string; rule?: string | undefined }): boolean {
  return reason === 'no rule for this path' || (reason === 'rule' && /^deny \S+ \//.test(rule ?? ''))
}

/** True for what such a command allows: a host, and perhaps a port. */
export function isHostRule(text: string): boolean {
  return /^(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d+)?$/.test(text) && typeof readTarget(text) !== 'string'
}

function ruleText(host: string, port: number): string {
  const name = host.includes(':') ? `[${host}]` : host
  return usual.includes(port) ? name : `${name}:${port}`
}
