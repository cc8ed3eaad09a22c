// Owns the names that Caddy's config for the way out and moat's answers to its questions have in common.

/** Variables of a request: the port of its host; host and port as a rule has them. */
export const portVariable = 'moat_port'
export const targetText = 'moat_target'

/** The field of Caddy's reports in which the verdict is. */
export const verdictField = 'moat_verdict'

/** What Caddy asks: what becomes of a request, and what a grant puts into it. What the gate tells: that a host has said 401. */
export const questionPaths = { refused: '/refused', value: '/value', verdict: '/verdict' } as const

/** What it tells with it. */
export const questionHeaders = {
  grant: 'X-Moat-Grant',
  host: 'X-Moat-Host',
  method: 'X-Moat-Method',
  path: 'X-Moat-Path',
  port: 'X-Moat-Port',
  run: 'X-Moat-Run',
  traces: 'X-Moat-Traces',
} as const

/** What moat answers, before a number or the name of a header. */
export const answerHeaders = {
  query: 'X-Moat-Query',
  set: 'X-Moat-Set',
  trace: 'X-Moat-Trace',
  verdict: 'X-Moat-Verdict',
} as const

/** Its answer is the request as it arrived, with whatever was put in. */
export const echoingMethod = /^trac[ek]$/i
