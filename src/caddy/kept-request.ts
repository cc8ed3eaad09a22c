// Owns what moat keeps of a request before an endpoint's routes change it for the app: whether its answers are pages or JSON is for
// the client to say. Pure.
import type { CaddyRoute } from '../routing/agent.js'

const kept = { Accept: 'moat_accept', 'Accept-Encoding': 'moat_encoding' }

/** Variables, for a `vars` handler that comes before all routes of endpoints. */
export const keptHeaders: Record<string, string> = {
  moat_kept: 'yes',
  ...Object.fromEntries(Object.entries(kept).map(([name, variable]) => [variable, `{http.request.header.${name}}`])),
}

const match = [{ vars: { moat_kept: ['yes'] } }]
const request = {
  set: Object.fromEntries(Object.entries(kept).map(([name, variable]) => [name, [`{http.vars.${variable}}`]])),
}

/** Before an answer of moat's own where an endpoint may have changed the request. */
export const asItWasSent: CaddyRoute = { handle: [{ handler: 'headers', request }], match }

/** What an endpoint had meant for its app's answer is none of a page about why there is none. */
export const withoutHeaders = { handler: 'headers', response: { delete: ['*'] } }
