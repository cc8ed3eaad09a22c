// Owns what is answered to a request that is not let through: for programs, and for the agent that reads what they print. Pure.
import { allowCommand, logCommand } from '../egress/allow-command.js'
import type { Verdict } from '../egress/policy.js'
import type { Target } from './target.js'

/** What is told of a request that was refused, as JSON. Fields may be added, never removed. */
export interface Refusal {
  error: 'network_policy'
  hint: string
  host: string
  method: string | null
  path: string | null
  reason: string
  rule: string | null
}

export interface RefusedRequest {
  agent: string
  method?: string | undefined
  path?: string | undefined
  target: Target
  verdict: Pick<Verdict, 'reason' | 'rule'>
}

export function refusal({ agent, method, path, target, verdict }: RefusedRequest): Refusal {
  const { reason, rule } = verdict
  const asked = {
    ...{ agent, ...target, reason },
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path: path.replace(/\?.*$/s, '') }),
    ...(rule !== undefined && { rule }),
  }
  return {
    error: 'network_policy',
    hint: allowCommand(asked) ?? logCommand(agent),
    host: target.host,
    method: method ?? null,
    path: path ?? null,
    reason,
    rule: rule ?? null,
  }
}

/** An answer as it is written to a socket that no HTTP server of ours answers at. Nothing follows it. */
export function rawAnswer(status: string, body: object): string {
  const text = `${JSON.stringify(body)}\n`
  const headers = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`, 'Connection: close']
  return `HTTP/1.1 ${status}\r\n${headers.join('\r\n')}\r\n\r\n${text}`
}
