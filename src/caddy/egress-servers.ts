// Owns Caddy's servers for the way out: one for each agent of whom something is opened, on a socket of its own, so that nobody can
// pass for another. Pure.
import { type GrantedPlace, openedHosts } from '../egress/opened-hosts.js'
import { portVariable, targetText } from '../egress/opening-words.js'
import type { NetworkRule } from '../egress/policy.js'
import type { CaddyRoute } from '../routing/agent.js'
import { agentHostPatterns } from '../routing/urls.js'
import { fail, refuse, refuseAddress, refusedByGate, report } from './egress-answers.js'
import {
  echoingMethods,
  isPlainLine,
  lineMatchers,
  matches,
  noUpgrade,
  numericHost,
  oddRequest,
  plainTarget,
  serverNamePattern,
  targetOf,
  targetsOf,
  webSocket,
  webSocketOverHttp2,
} from './egress-patterns.js'
import { askFirst, sendRoutes, sendTo } from './egress-send.js'
import type { EgressSettings, OpenedAgent } from './egress-settings.js'

/** Before the run id: what Caddy calls the server and its logger. */
const serverPrefix = 'egress_'
export const reportLogger = 'moat_egress'

type Handler = CaddyRoute['handle'][number]

/**
 * Without those that quantum computers would not break, which take as long as all the rest of a handshake: this one leads from one
 * process of this machine to another. What Caddy agrees on with the host is another matter.
 */
const curves = ['x25519', 'secp256r1', 'secp384r1', 'secp521r1']

export function egressServers(settings: EgressSettings | undefined, domain: string): Record<string, object> {
  if (!settings) return {}
  const { agents } = settings
  return Object.fromEntries(agents.map((agent) => [`${serverPrefix}${agent.runId}`, server(settings, agent, domain)]))
}

/** For servers of the proxy's own: they have nothing to show under a name that is opened for an agent. */
export function foreignNames(settings: EgressSettings | undefined): object[] {
  const hosts = (settings?.agents ?? []).flatMap(openedHosts)
  if (hosts.length === 0) return []
  return [{ drop: true, match: { sni_regexp: { pattern: serverNamePattern([...new Set(hosts)].toSorted()) } } }]
}

function server(settings: EgressSettings, agent: OpenedAgent, domain: string) {
  return {
    automatic_https: { disable: true },
    errors: { routes: errors(agent) },
    listen: [`unix/${agent.socket}|0600`],
    // By whom a tunnel was handed on is in its first bytes; which socket it came by says the same.
    listener_wrappers: [{ wrapper: 'proxy_protocol' }, { wrapper: 'tls' }],
    logs: { default_logger_name: `${reportLogger}.${agent.runId}` },
    named_routes: sendRoutes(settings, agent),
    protocols: ['h1', 'h2'],
    // In one: Caddy counts each of a server's own that a request passes, for every request.
    routes: [{ handle: [{ handler: 'subroute', routes: routes(agent) }] }],
    // What was judged by the name in the handshake is not to be another host's request: 421.
    strict_sni_host: true,
    tls_connection_policies: [
      { drop: true, match: { sni: [...new Set(['localhost', ...agentHostPatterns(domain)])] } },
      { curves, match: { sni_regexp: { pattern: serverNamePattern(openedHosts(agent)) } } },
    ],
  }
}

/** The same as `decide`, rule for rule. */
function routes(agent: OpenedAgent): CaddyRoute[] {
  const { grants, name, policy } = agent
  const end = without(agent, 'no rule')
  return [
    { handle: [{ handler: 'vars', [portVariable]: '443', [targetText]: '{http.request.host}' }] },
    {
      handle: [{ handler: 'vars', [portVariable]: '{http.request.port}' }],
      match: [matches('{http.request.port}', '.')],
    },
    {
      handle: [{ handler: 'vars', [targetText]: '{http.request.hostport}' }],
      match: [{ not: [matches('{http.request.port}', '^(?:|80|443)$')] }],
    },
    {
      handle: refuse(name, { reason: 'malformed host' }),
      match: [{ not: [plainTarget] }, numericHost],
      terminal: true,
    },
    {
      handle: refuse(name, { reason: 'malformed request' }),
      match: [{ method: ['CONNECT'], not: [webSocketOverHttp2] }],
      terminal: true,
    },
    {
      handle: refuse(name, { reason: 'a connection can be changed to a WebSocket only' }),
      match: [{ not: [noUpgrade, webSocket] }],
      terminal: true,
    },
    {
      handle: [{ handler: 'subroute', routes: grants.map((place) => echoing(name, place)) }],
      match: [echoingMethods],
    },
    ...policy.rules.map((rule) => ({
      handle: [{ handler: 'subroute', routes: ruleRoutes(agent, rule) }],
      match: [targetOf(rule)],
      terminal: true,
    })),
    ...end,
  ]
}

/** What a grant puts in would come back in the body. */
function echoing(name: string, { hosts, ports }: GrantedPlace): CaddyRoute {
  const handle = refuse(name, { reason: 'a method that would show what a grant puts in' })
  return { handle, match: [targetsOf(hosts, ports)], terminal: true }
}

function ruleRoutes(agent: OpenedAgent, rule: NetworkRule): CaddyRoute[] {
  const { paths, text } = rule
  const to = sendTo(agent, rule)
  if (!paths) return [decided(agent, rule.effect, { reason: 'rule', rule: text }, to)]
  if (!paths.every(isPlainLine)) return [askFirst]
  return [
    { ...askFirst, match: oddRequest },
    ...paths.map((line) => {
      const why = { reason: 'rule', rule: `${line.effect} ${line.method} ${line.path}` }
      return { ...decided(agent, line.effect, why, to), match: lineMatchers(line) }
    }),
    ...without(agent, 'no rule for this path', { text, to }),
  ]
}

function without(agent: OpenedAgent, reason: string, rule?: { text: string; to: Handler }): CaddyRoute[] {
  const allowed = agent.policy.policy === 'permissive'
  const told = { reason: allowed ? 'permissive' : reason, ...(rule && { rule: rule.text }) }
  return [decided(agent, allowed ? 'allow' : 'deny', told, rule?.to ?? sendTo(agent))]
}

function decided(
  { name }: OpenedAgent,
  effect: 'allow' | 'deny',
  why: { reason: string; rule?: string },
  to: Handler,
): CaddyRoute {
  const handle = effect === 'deny' ? refuse(name, why) : [report({ allowed: true, ...why }), to]
  return { handle, terminal: true }
}

/** The gate says why it does not connect: that is a refusal, too. */
function errors({ name }: OpenedAgent): CaddyRoute[] {
  const message = (pattern: string) => [matches('{http.error.message}', pattern)]
  const target = { handler: 'vars', [targetText]: '{http.request.host}' }
  return [
    {
      handle: [target, ...refuse(name, { reason: 'another host than in the handshake' }, 421)],
      match: message('^strict host matching: '),
      terminal: true,
    },
    { handle: refuseAddress(name), match: message(`^${refusedByGate}`), terminal: true },
    { handle: fail('The host was not reached.', 502), match: message('.'), terminal: true },
    { handle: fail('The host was not reached.', '{http.error.status_code}') },
  ]
}
