// Owns the command that would have let a request pass, as it is told wherever one was refused. Pure.
import type { NetworkLogEntry } from './policy.js'

/** Ports that a rule need not name. */
const usual = [80, 443]

/** Undefined where no rule would do: the request itself was not in order. */
export function allowCommand({
  agent,
  host,
  port,
  reason,
}: Pick<NetworkLogEntry, 'agent' | 'host' | 'port' | 'reason'>): string | undefined {
  const [, address] = / address (\S+)$/.exec(reason) ?? []
  if (address === undefined && !/^(rule|no rule.*)$/.test(reason)) return undefined
  return `moat network allow ${agent} ${ruleText(address ?? host, port)}`
}

function ruleText(host: string, port: number): string {
  const name = host.includes(':') ? `[${host}]` : host
  return usual.includes(port) ? name : `${name}:${port}`
}
