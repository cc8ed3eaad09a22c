// Owns reading what Caddy reports of requests that it has opened, as lines of the network log. Pure.
import { verdictField } from './opening-words.js'
import type { NetworkLogEntry } from './policy.js'
import { decodeVerdict } from './questions.js'

/** A text in the log is cut here: paths are as long as clients like. */
const longestText = 1_024

/** Names of agents by run id: Caddy knows the run. */
export type AgentNames = (runId: string) => string | undefined

interface Report {
  bytes_read: number
  duration: number
  logger: string
  request: { host: string; method: string; uri: string }
  size: number
  status: number
  ts: number
}

/** A line of the log, and the status that the host has answered with. */
export interface ReadReport extends NetworkLogEntry {
  status: number
}

/** Undefined for a line that is not about a request: whatever comes in must not end who reads it. */
export function readReport(line: string, nameOf: AgentNames): ReadReport | undefined {
  try {
    const report = JSON.parse(line) as Report & Record<string, unknown>
    const { bytes_read, duration, logger, request, size, status, ts } = report
    const [, runId = ''] = /\.(run_[0-9a-f]{12})$/.exec(logger) ?? []
    if (runId === '') return undefined
    // Without one it was refused before there was a rule to ask.
    const verdict = decodeVerdict(report[verdictField]) ?? { allowed: false, reason: refusedBecause(status) }
    const [, host = '', port = '443'] = /^(.*?)(?::(\d+))?$/.exec(request.host) ?? []
    return {
      agent: nameOf(runId) ?? '',
      bytesIn: size,
      bytesOut: bytes_read,
      duration: Math.round(duration * 10_000) / 10,
      host: host.toLowerCase().slice(0, longestText),
      method: request.method.slice(0, longestText),
      // A query may have in it what is nobody's business.
      path: request.uri.replace(/[?#].*$/s, '').slice(0, longestText),
      port: Number(port),
      reason: verdict.reason,
      ...(verdict.rule !== undefined && { rule: verdict.rule }),
      runId,
      status,
      time: new Date(ts * 1000).toISOString(),
      verdict: verdict.allowed ? 'allowed' : 'blocked',
    }
  } catch {
    return undefined
  }
}

function refusedBecause(status: number): string {
  return status === 421 ? 'another host than in the handshake' : 'malformed request'
}
