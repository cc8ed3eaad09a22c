// Owns what may come from inside containers: each has a socket of its own, and what arrives there is for the hosts of its
// agent. Pure.
import type { CaddyRoute } from '../routing/agent.js'
import { agentHost } from '../routing/urls.js'
import { routesFor } from './responses.js'

/** A socket at which Caddy listens for one agent's container. */
export interface ContainerSocket {
  agent: string
  /** Path of the unix socket. */
  path: string
}

/**
 * Where a request came in says whose it is: a client has no say in that. (It has in the remote address: Linux lets it give
 * its end of a unix socket any name, `127.0.0.1:5000` too.)
 */
const cameIn = '{http.request.local}'
const onLoopback = String.raw`^(127\.0\.0\.1|\[::1\]):`

/** For a host that is not the caller's own: agents have no business with each other, nor with the dashboard. */
const notYours = routesFor(
  {
    detail: 'From inside a container, the proxy answers at the URLs of its own agent only.',
    error: 'not_your_agent',
    hint: 'echo $MOAT_URL',
    status: 403,
  },
  'From inside a container, the proxy answers at the URLs of its own agent only, not at {http.request.host}.\n\nTry this:\n  echo $MOAT_URL',
)

/** Before every other route. Nothing for a proxy that only listens on loopback. */
export function containerGate(sockets: readonly ContainerSocket[], domain: string): CaddyRoute[] {
  if (sockets.length === 0) return []
  const group = 'container'
  const own = sockets.map(({ agent, path }) => {
    const host = agentHost(agent, domain)
    return {
      group,
      // There is no address to tell the agent's program; its own loopback is where the request began.
      handle: [{ client_ip: '127.0.0.1', handler: 'vars' }],
      match: [{ host: [host, `*.${host}`], vars: { [cameIn]: [path] } }],
    }
  })
  return [
    {
      handle: [
        { handler: 'subroute', routes: [...own, { group, handle: [{ handler: 'subroute', routes: notYours }] }] },
      ],
      // All but what surely came over TCP, so that a Caddy which does not know the address lets nobody through.
      match: [{ not: [{ vars_regexp: { [cameIn]: { pattern: onLoopback } } }] }],
    },
  ]
}
