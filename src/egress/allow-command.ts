// Owns the command that would have let a request pass, as it is told wherever one was refused. Pure.
import type { NetworkLogEntry } from './policy.js'
import { readTarget } from './read-rule.js'

/** Ports that a rule need not name. */
const usual = [80, 443]

/** Undefined where no rule would do: the request itself was not in order, or no rule can name the host. */
export function allowCommand({
  agent,
  host,
  port,
  reason,
}: Pick<NetworkLogEntry, 'agent' | 'host' | 'port' | 'reason'>): string | undefined {
  const [, address] = / address (\S+)$/.exec(reason) ?? []
  if (address === undefined && !/^(rule|no rule.*)$/.test(reason)) return undefined
  // Such a host no rule can name, and as a word of a command it would be a flag.
  if (/(?:^|\.)-/.test(host)) return undefined
  return `moat network allow ${agent} ${ruleText(address ?? host, port)}`
}

/** True for what such a command allows: a host, and perhaps a port. */
export function isHostRule(text: string): boolean {
  return /^(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d+)?$/.test(text) && typeof readTarget(text) !== 'string'
}

function ruleText(host: string, port: number): string {
  const name = host.includes(':') ? `[${host}]` : host
  return usual.includes(port) ? name : `${name}:${port}`
}
