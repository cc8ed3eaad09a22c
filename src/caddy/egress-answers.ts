// Owns what Caddy itself answers about the way out: refusals, for programs and for the agent that reads what they print, and what
// it reports of each request. Pure.
import { targetText, verdictField } from '../egress/opening-words.js'
import type { Verdict } from '../egress/policy.js'
import { encodeVerdict, type ReportedVerdict } from '../egress/questions.js'

export function report(verdict: ReportedVerdict) {
  return { handler: 'log_append', key: verdictField, value: encodeVerdict(verdict) }
}

/** The words of a refusal, filled in by a template: what a client sent is in them, as JSON, whatever it is. */
export function refuse(agent: string, { reason, rule }: Pick<Verdict, 'reason' | 'rule'>, status = 403, said?: string) {
  const hint = JSON.stringify(`moat network allow ${agent} %s`)
  const fields = {
    error: literal('network_policy'),
    hint: `{{printf ${hint} (placeholder "http.vars.${targetText}" | lower) | toJson}}`,
    host: '{{placeholder "http.request.host" | lower | toJson}}',
    method: '{{.Req.Method | toJson}}',
    path: '{{splitList "?" .OriginalReq.RequestURI | first | toJson}}',
    reason: said ?? literal(reason),
    rule: literal(rule ?? null),
  }
  return [report({ allowed: false, reason, ...(rule !== undefined && { rule }) }), ...json(fields, status)]
}

/** The gate does not connect, and says why where Caddy takes it for the error. */
export const refusedByGate = 'network_policy: '

export function refuseAddress(agent: string) {
  const said = `{{placeholder "http.error.message" | trimPrefix "${refusedByGate}" | toJson}}`
  return refuse(agent, { reason: 'refused address' }, 403, said)
}

/** For what went wrong behind a verdict. */
export function fail(detail: string, status: number | string) {
  const fields = {
    detail: literal(detail),
    error: literal('unreachable'),
    host: '{{placeholder "http.request.host" | lower | toJson}}',
    reason: '{{regexFind "^(?:tls|x509): .*" (placeholder "http.error.message") | toJson}}',
  }
  return json(fields, status)
}

function json(fields: Record<string, string>, status: number | string) {
  const body = Object.entries(fields).map(([name, value]) => `"${name}":${value}`)
  const headers = {
    'Cache-Control': ['no-store'],
    'Content-Type': ['application/json'],
    'X-Content-Type-Options': ['nosniff'],
  }
  return [
    { handler: 'templates', mime_types: ['application/json'] },
    { body: `{${body.join(',')}}\n`, handler: 'static_response', headers, status_code: status },
  ]
}

/** JSON without braces, which mean something to Caddy and to templates. */
function literal(value: string | null): string {
  return JSON.stringify(value).replace(/[{}]/g, (brace) => `\\u00${brace.charCodeAt(0).toString(16)}`)
}
