// Owns for which names Caddy makes certificates, and which one it shows for the others. Pure.
//
// Names are not in the config, for agents come and go without a change of it. Caddy asks itself at a handshake, over loopback:
// the server `names` answers by the files in the directory of that name.
import { join } from 'node:path'
import type { CaddyRoute } from '../routing/agent.js'
import { linkDirectories } from '../routing/way-in.js'
import type { CaddySettings } from './caddy-settings.js'
import { allOpenedHosts, egressPolicies } from './egress-certificates.js'
import { matches, serverNamePattern } from './egress-patterns.js'
import type { EgressSettings } from './egress-settings.js'

/**
 * Certificates are made at first use, and for known names only: a name that no agent has never makes Caddy sign and store
 * anything. P-256: Chromium refuses Ed25519. Long lives: certificates of hours go stale while a laptop sleeps.
 */
export function certificates({ domain, egress, names }: CaddySettings) {
  const ask = (what: string) => `http://127.0.0.1:${names.port}/${names.secret}/${what}`
  const own = {
    // Asked first. For a name that an agent could have and none has: the certificate of the domain.
    get_certificate: [{ url: ask('other'), via: 'http' }],
    issuers: [{ ca: 'local', lifetime: '720h', module: 'internal' }],
    key_type: 'p256',
    on_demand: true,
  }
  return {
    automation: {
      on_demand: { permission: { endpoint: ask('known'), module: 'http' } },
      policies: [...egressPolicies(egress, own, domain), own],
    },
  }
}

/**
 * Only Caddy knows the secret in the path: the answer has a key in it, if only that of the certificate for the domain, and
 * every user of this machine can ask here.
 */
export function namesServer({ domain, egress, names, proxy, storage }: CaddySettings) {
  const path = (what: string) => [`/${names.secret}/${what}`]
  const known = (parameter: string) => ({
    file: {
      root: join(proxy, linkDirectories.names),
      try_files: [`/{http.request.uri.query.${parameter}}`],
    },
    vars_regexp: { [`{http.request.uri.query.${parameter}}`]: { pattern: anyName } },
  })
  const leaf = join(storage, 'certificates', 'local', domain, domain)
  return {
    automatic_https: { disable: true },
    listen: [names.listener],
    protocols: ['h1'],
    routes: [
      answer(200, [{ ...known('domain'), path: path('known') }]),
      ...openedNames(egress, path('known')),
      answer(403, [{ path: path('known') }]),
      answer(204, [{ ...known('server_name'), path: path('other') }]),
      {
        handle: [{ body: `{file.${leaf}.crt}\n{file.${leaf}.key}`, handler: 'static_response', status_code: 200 }],
        match: [
          { path: path('other'), vars_regexp: { '{http.request.uri.query.server_name}': { pattern: below(domain) } } },
        ],
        terminal: true,
      },
      answer(204, [{ path: path('other') }]),
      answer(404),
    ],
  }
}

/** Hosts that are opened for an agent; only its own server has a certificate of theirs to show. */
function openedNames(egress: EgressSettings | undefined, path: string[]): CaddyRoute[] {
  const hosts = allOpenedHosts(egress)
  if (hosts.length === 0) return []
  return [answer(200, [{ ...matches('{http.request.uri.query.domain}', serverNamePattern(hosts)), path }])]
}

/** Host names and addresses, and nothing that means more to a file system. */
const anyName = '^[a-z0-9:]([a-z0-9.:-]*[a-z0-9:])?$'

/** Names that an agent below the domain could have. */
function below(domain: string): string {
  return `(?i)^([a-z0-9_-]+\\.){1,2}${domain.replaceAll('.', '\\.')}$`
}

function answer(status: number, match?: Record<string, unknown>[]): CaddyRoute {
  return { handle: [{ handler: 'static_response', status_code: status }], ...(match && { match }), terminal: true }
}
