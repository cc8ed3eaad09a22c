// Owns what the proxy answers by itself, when no agent does: as text for people, as JSON for programs, never cached.

const textHeaders = {
  'Cache-Control': ['no-store'],
  'Content-Type': ['text/plain; charset=utf-8'],
  // The host in the text comes from the request: it must never be taken for HTML.
  'X-Content-Type-Options': ['nosniff'],
}

const jsonHeaders = { ...textHeaders, 'Content-Type': ['application/json'] }

const wantsJson = [{ header: { Accept: ['*application/json*'] } }]

interface Answer {
  detail: string
  error: string
  headers?: Record<string, string[]>
  hint: string
  status: number
}

/** Two routes: JSON for those who ask for it, text for the rest. Only the text may contain placeholders. */
function routesFor({ detail, error, headers, hint, status }: Answer, text: string) {
  const respond = (body: string, base: Record<string, string[]>) => [
    {
      body,
      handler: 'static_response',
      headers: { ...base, ...headers, 'X-Moat-Error': [error] },
      status_code: status,
    },
  ]
  return [
    { handle: respond(JSON.stringify({ detail, error, hint }), jsonHeaders), match: wantsJson, terminal: true },
    { handle: respond(`${text}\n`, textHeaders), terminal: true },
  ]
}

/** For a Host that is not the proxy's: says nothing about what runs here. */
export const refusal = [
  {
    body: 'This proxy serves localhost only.\n',
    handler: 'static_response',
    headers: textHeaders,
    status_code: 403,
  },
]

export const unknownHost = routesFor(
  {
    detail: 'No running agent has this host name.',
    error: 'unknown_host',
    hint: 'moat list',
    status: 404,
  },
  'No running agent answers at {http.request.host}.\n\nTry this:\n  moat list',
)

export const upstreamError = routesFor(
  {
    detail: 'The agent runs, but nothing answers on the port of this endpoint.',
    error: 'not_listening',
    headers: { 'Retry-After': ['1'] },
    hint: 'Listen on 0.0.0.0 and on the port that moat.yaml declares.',
    status: 502,
  },
  'The agent behind {http.request.host} runs, but nothing answers on the port of this endpoint.\n\nTry this:\n  listen on 0.0.0.0 and on the port that moat.yaml declares',
)
