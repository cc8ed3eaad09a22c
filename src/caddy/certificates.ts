// Owns for which names Caddy makes certificates, and which one it shows for the others. Pure.
//
// Names are not in the config, for agents come and go without a change of it. Caddy asks itself at a handshake, over loopback:
// the server `names` answers by the files in two directories, of hosts that have sockets and of other names.
import { join } from 'node:path'
import type { CaddyRoute } from '../routing/agent.js'
import { leafName, linkDirectories } from '../routing/way-in.js'
import type { CaddySettings } from './caddy-settings.js'
import { allOpenedHosts, egressPolicies } from './egress-certificates.js'
import { matches, serverNamePattern } from './egress-patterns.js'
import type { EgressSettings } from './egress-settings.js'
import { lowerCase } from './lower-case.js'

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
      root: proxy,
      try_files: [linkDirectories.expected, linkDirectories.names].map(
        (directory) => `/${directory}/{http.request.uri.query.${parameter}}`,
      ),
    },
    vars_regexp: { [`{http.request.uri.query.${parameter}}`]: { pattern: anyName } },
  })
  const ownLeaf = join(storage, 'certificates', 'local', domain, domain)
  const other = [{ path: path('other') }]
  return {
    automatic_https: { disable: true },
    listen: [names.listener],
    protocols: ['h1'],
    routes: [
      answer(200, [{ ...known('domain'), path: path('known') }]),
      ...openedNames(egress, path('known')),
      answer(403, [{ path: path('known') }]),
      { handle: [inLowerCase, agentOf(domain)], match: other },
      agentLeaf(join(proxy, linkDirectories.leaves), path('other')),
      answer(204, [{ ...known('server_name'), path: path('other') }]),
      {
        handle: [
          { body: `{file.${ownLeaf}.crt}\n{file.${ownLeaf}.key}`, handler: 'static_response', status_code: 200 },
        ],
        match: [
          { path: path('other'), vars_regexp: { '{http.request.uri.query.server_name}': { pattern: below(domain) } } },
        ],
        terminal: true,
      },
      answer(204, other),
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

const nameHeader = 'X-Moat-Name'

/** Clients say names as their users typed them. */
const inLowerCase = {
  handler: 'headers',
  request: {
    replace: { [nameHeader]: lowerCase },
    set: { [nameHeader]: ['{http.request.uri.query.server_name}'] },
  },
}

/** The agent that a name belongs to, whether the name has an endpoint or not. */
function agentOf(domain: string) {
  const pattern = String.raw`^(?:[a-z0-9_-]+\.)?([a-z0-9-]+)\.${escaped(domain)}$`
  return {
    defaults: [''],
    destinations: ['{moat.agent}'],
    handler: 'map',
    mappings: [{ input_regexp: pattern, outputs: ['${1}'] }],
    source: `{http.request.header.${nameHeader}}`,
  }
}

/** The certificate of that agent, as a file. Nothing of it stays in Caddy's memory, so another one counts at once. */
function agentLeaf(root: string, path: string[]): CaddyRoute {
  const file = `/${leafName('{moat.agent}')}`
  return {
    handle: [
      { handler: 'rewrite', uri: file },
      { handler: 'file_server', root },
    ],
    match: [{ file: { root, try_files: [file] }, path }],
    terminal: true,
  }
}

/** Host names and addresses, and nothing that means more to a file system. */
const anyName = '^[a-z0-9:]([a-z0-9.:-]*[a-z0-9:])?$'

/** Names that an agent below the domain could have. */
function below(domain: string): string {
  return `(?i)^([a-z0-9_-]+\\.){1,2}${escaped(domain)}$`
}

function escaped(domain: string): string {
  return domain.replaceAll('.', '\\.')
}

function answer(status: number, match?: Record<string, unknown>[]): CaddyRoute {
  return { handle: [{ handler: 'static_response', status_code: status }], ...(match && { match }), terminal: true }
}
