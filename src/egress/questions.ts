// Owns what Caddy asks about single requests that it has opened, and what it is answered: a verdict where its own matchers cannot
// tell, and what a grant puts in. Pure.
import { allowCommand, logCommand } from './allow-command.js'
import { decide } from './decide.js'
import { answerHeaders, questionHeaders } from './opening-words.js'
import type { NetworkPolicy, Verdict } from './policy.js'

/** A request of an agent, as Caddy has it. */
export interface Question {
  /** Of whose value is asked. */
  grant?: string
  host: string
  method: string
  /** As it was sent. */
  path: string
  port: number
  runId: string
  /** How many forms of the value Caddy looks for in the answer. */
  traces?: number
}

export interface QuestionAnswer {
  body?: object
  headers: Record<string, string>
  status: number
}

/** Undefined for what Caddy does not ask. */
export function readQuestion(headers: Readonly<Record<string, string | string[] | undefined>>): Question | undefined {
  const text = (name: string) => {
    const value = headers[name.toLowerCase()]
    return typeof value === 'string' ? value : undefined
  }
  const [grant, host, method, path, runId] = (['grant', 'host', 'method', 'path', 'run'] as const).map((name) =>
    text(questionHeaders[name]),
  )
  const port = Number(text(questionHeaders.port))
  const traces = Number(text(questionHeaders.traces))
  if (host === undefined || method === undefined || path === undefined || runId === undefined) return undefined
  // A WebSocket over HTTP/2 is asked for with CONNECT, and is the GET of before; Caddy lets no other pass.
  const asked = method === 'CONNECT' ? 'GET' : method
  return {
    ...(grant !== undefined && { grant }),
    host,
    method: asked,
    path,
    port,
    runId,
    ...(traces > 0 && { traces }),
  }
}

/** What becomes of a request: 200 or a refusal, and always why. */
export function answerVerdict(
  { host, method, path, port }: Question,
  agent: { name: string; policy: Pick<NetworkPolicy, 'policy' | 'rules'> } | undefined,
): QuestionAnswer {
  const verdict = agent
    ? decide(agent.policy, { host, method, path, port })
    : { allowed: false, reason: 'unknown agent' }
  const headers = { [answerHeaders.verdict]: encodeVerdict(verdict) }
  if (verdict.allowed) return { headers, status: 200 }
  const asked = { host: host.toLowerCase(), method, path: path.replace(/[?#].*$/s, '') }
  const hint = agent && (allowCommand({ agent: agent.name, ...asked, port, ...verdict }) ?? logCommand(agent.name))
  const body = {
    error: 'network_policy',
    ...(hint !== undefined && { hint }),
    ...asked,
    reason: verdict.reason,
    rule: ('rule' in verdict ? verdict.rule : undefined) ?? null,
  }
  return { body, headers, status: 403 }
}

/** What is put into a request, and the forms of it that are taken out of the headers of what comes back. */
export interface PutIn {
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>
  /** In the order in which the place names them. */
  query: readonly string[]
  traces: readonly string[]
}

/**
 * `random` is what nobody can send: where there are fewer forms than Caddy looks for, it must not look for nothing. Undefined
 * where there are more, as for a moment after a grant became another: some would come back.
 */
export function answerValue(
  { headers, query, traces }: PutIn,
  { count = 0, random }: { count: number | undefined; random: string },
): QuestionAnswer | undefined {
  if (traces.length > count) return undefined
  const forms = [...traces, ...Array<string>(count - traces.length).fill(random)]
  return {
    headers: Object.fromEntries([
      ...Object.entries(headers).map(([name, value]) => [`${answerHeaders.set}-${name}`, value]),
      ...query.map((value, index) => [`${answerHeaders.query}-${index}`, value]),
      ...forms.map((form, index) => [`${answerHeaders.trace}-${index}`, form]),
    ]),
    status: 200,
  }
}

/** As it is reported. */
export type ReportedVerdict = Pick<Verdict, 'allowed' | 'reason' | 'rule'>

/** Caddy would fill in what stands in braces, so none are there. */
export function encodeVerdict({ allowed, reason, rule }: ReportedVerdict): string {
  const told = { allowed, reason, ...(rule !== undefined && { rule }) }
  return Buffer.from(JSON.stringify(told)).toString('base64url')
}

/** Undefined for what is none. */
export function decodeVerdict(text: unknown): ReportedVerdict | undefined {
  try {
    const { allowed, reason, rule } = JSON.parse(Buffer.from(String(text), 'base64url').toString())
    if (typeof allowed !== 'boolean' || typeof reason !== 'string') return undefined
    return { allowed, reason, ...(typeof rule === 'string' && { rule }) }
  } catch {
    return undefined
  }
}
