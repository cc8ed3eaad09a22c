// Owns what Caddy itself answers about the way out: refusals, for programs and for the agent that reads what they print, and what
// it reports of each request. Pure.
import { isAboutPath, logCommand, plainMethod, plainPath } from '../egress/allow-command.js'
import { targetText, verdictField } from '../egress/opening-words.js'
import type { Verdict } from '../egress/policy.js'
import { encodeVerdict, type ReportedVerdict } from '../egress/questions.js'

export function report(verdict: ReportedVerdict) {
  return { handler: 'log_append', key: verdictField, value: encodeVerdict(verdict) }
}

/** The words of a refusal, filled in by a template: what a client sent is in them, as JSON, whatever it is. */
export function refuse(
  agent: string,
  { reason, rule }: Pick<Verdict, 'reason' | 'rule'>,
  status = 403,
  said: { hint?: string; reason?: string } = {},
) {
  const fields = {
    error: literal('network_policy'),
    hint: said.hint ?? hint(agent, { reason, rule }),
    host: '{{placeholder "http.request.host" | lower | toJson}}',
    method: '{{.Req.Method | toJson}}',
    path: `{{${pathAsSent} | toJson}}`,
    reason: said.reason ?? literal(reason),
    rule: literal(rule ?? null),
  }
  return [report({ allowed: false, reason, ...(rule !== undefined && { rule }) }), ...json(fields, status)]
}

/** As `allowCommand` says it, of a request that Caddy alone has seen. */
function hint(agent: string, why: { reason: string; rule: string | undefined }): string {
  const log = literal(logCommand(agent))
  const target = `(placeholder "http.vars.${targetText}" | lower)`
  if (isAboutPath(why)) {
    const isPlain = `(regexMatch ${asTemplate(plainMethod)} .Req.Method) (regexMatch ${asTemplate(plainPath)} ${pathAsSent})`
    return `{{if and ${isPlain}}}${command(agent, '"%s %s %s"', target, '.Req.Method', pathAsSent)}{{else}}${log}{{end}}`
  }
  return /^(rule|no rule)$/.test(why.reason) ? command(agent, '%s', target) : log
}

function command(agent: string, format: string, ...values: string[]): string {
  return `{{printf ${JSON.stringify(`moat network allow ${agent} ${format}`)} ${values.join(' ')} | toJson}}`
}

const pathAsSent = '(splitList "?" .OriginalReq.RequestURI | first)'

/** Go's syntax, which has no look-ahead; what is compared there is never empty. */
function asTemplate({ source }: RegExp): string {
  return `\`${source.replace('(?!$)', '').replaceAll('\\/', '/')}\``
}

/** The gate does not connect, and says why where Caddy takes it for the error. */
export const refusedByGate = 'network_policy: '

export function refuseAddress(agent: string) {
  const said = `(placeholder "http.error.message" | trimPrefix "${refusedByGate}")`
  // An address has to be listed itself.
  const address = command(agent, '%s', '(trimPrefix " address " .)')
  const hint = `{{with regexFind " address [0-9a-f.:]+$" ${said}}}${address}{{else}}${literal(logCommand(agent))}{{end}}`
  return refuse(agent, { reason: 'refused address' }, 403, { hint, reason: `{{${said} | toJson}}` })
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
