// Owns how a person reads what is decided of requests, and what agents have reached.
import type { CheckedUrl } from '../agents/network/check-network.js'
import { visible } from '../config/visible.js'
import { usualPorts } from '../egress/decide.js'
import type { NetworkLogEntry } from '../egress/policy.js'
import { formatBytes } from './format-bytes.js'

/** `allowed: GET api.github.com/repos/a, by allow GET /repos/** (moat.yaml:4:24)` */
export function describeCheck({ allowed, intercept, place, reason, rule, ...request }: CheckedUrl): string {
  const verdict = allowed ? 'allowed' : 'refused'
  const written = rule === undefined ? undefined : `${rule}${place === undefined ? '' : ` (${place})`}`
  const noRule = request.policy === 'permissive' ? 'no rule denies it, and the policy is permissive' : reason
  const why = written !== undefined && reason === 'rule' ? `by ${written}` : reason === 'permissive' ? noRule : reason
  const rest = written !== undefined && reason !== 'rule' ? `, of those at ${written}` : ''
  const opened = intercept ? '; the connection is opened to see this' : ''
  return visible(`${verdict}: ${requestText(request)}, ${why}${rest}${opened}`)
}

/** A line: `12:00:01  allowed  my-app  GET api.github.com/x  allow GET /x  1.2 kB out, 3 kB in, 35 ms`. */
export function formatLogEntry(entry: NetworkLogEntry): string {
  const { agent, bytesIn, bytesOut, duration, reason, rule, time, verdict } = entry
  const amount = verdict === 'allowed' ? `${formatBytes(bytesOut)} out, ${formatBytes(bytesIn)} in, ${duration} ms` : ''
  // A rule does not say everything: what it allows may lead nowhere, or to where nobody may go.
  const why = rule === undefined || reason === 'rule' ? (rule ?? `(${reason})`) : `${rule} (${reason})`
  const cells = [time, verdict, agent, requestText(entry), why, amount]
  return visible(cells.join('  ').trimEnd())
}

/** A tunnel has neither method nor path. */
function requestText({ host, method, path, port }: Pick<NetworkLogEntry, 'host' | 'method' | 'path' | 'port'>): string {
  const target = targetText(host, port, path === undefined ? [443] : [80, 443])
  return path === undefined ? target : `${method ?? ''} ${target}${path}`.trim()
}

/** A host, and its port unless that is one of the usual. */
export function targetText(host: string, port: number, usual: readonly number[] = usualPorts): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return usual.includes(port) ? name : `${name}:${port}`
}
