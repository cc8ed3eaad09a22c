// Owns the policy that holds for an agent: none at all, what was said before its start, and what was said while it runs. Pure.
import { matchesPort, usualPorts } from './decide.js'
import { openGranted } from './granted-rules.js'
import { coversHost } from './hosts.js'
import type { NetworkPolicy, NetworkRule } from './policy.js'

type Rules = Pick<NetworkPolicy, 'policy' | 'rules'>

/** The policy of an agent about which nothing was said. */
export const openNetwork: NetworkPolicy = { host: [], peers: [], policy: 'permissive', rules: [] }

/** True for a policy that says nothing: everything is as the engine has it. */
export function isOpen({ host, peers, policy, rules }: NetworkPolicy): boolean {
  return policy === 'permissive' && rules.length === 0 && host.length === 0 && peers.length === 0
}

/**
 * `live` before the rules of `policy`, the newest first. A live rule about paths is about those paths only: what was said of
 * its hosts before goes on below it, of each of them by itself.
 */
export function effectivePolicy(policy: NetworkPolicy | undefined, live: readonly NetworkRule[]): NetworkPolicy {
  const base = withRules(policy ?? openNetwork, live)
  return { ...base, rules: openGranted(base.rules) }
}

/** The same for rules that are added before a start; the last of them comes first. */
export function withRules(base: NetworkPolicy, added: readonly NetworkRule[]): NetworkPolicy {
  const rules = [...base.rules]
  for (const rule of added) rules.unshift(...withRest(rule, { policy: base.policy, rules }))
  return { ...base, rules }
}

/** The rule that `rules` have for all that `rule` is about, at that port: none of its hosts comes to one below it. */
export function baseOf({ host }: NetworkRule, rules: readonly NetworkRule[], port: number): NetworkRule | undefined {
  return rules.find((other) => coversHost(other.host, host) && matchesPort(other, port))
}

/** The rule, with what was said of its hosts for the paths that it does not name; by port, where that makes a difference. */
function withRest(rule: NetworkRule, policy: Rules): NetworkRule[] {
  if (!rule.paths) return [rule]
  const ports = rule.port === undefined ? usualPorts : [rule.port]
  const [first = [], ...others] = ports.map((port) => partsAt(rule, policy, port))
  if (others.every((one) => JSON.stringify(one) === JSON.stringify(first))) return first
  return [first, ...others].flatMap((parts, index) => parts.map((part) => ({ ...part, port: ports[index] ?? 0 })))
}

/** Before the rule itself, what is narrower and came first: a pattern does not end what is said of hosts below it. */
function partsAt(rule: NetworkRule, { policy, rules }: Rules, port: number): NetworkRule[] {
  const base = baseOf(rule, rules, port)
  const before = rules.slice(0, base ? rules.indexOf(base) : undefined)
  const narrower = before.filter((other) => coversHost(rule.host, other.host) && matchesPort(other, port))
  const parts = narrower.map((other) => onTopOf(other, rule, other.host, port))
  // What no rule allows needs not be opened to be refused.
  return !base && policy === 'strict' && isDenial(rule) ? parts : [...parts, onTopOf(base, rule, rule.host, port)]
}

function onTopOf(other: NetworkRule | undefined, rule: NetworkRule, host: string, port: number): NetworkRule {
  // Nor what was refused altogether.
  if (other && !other.paths && other.effect === 'deny' && isDenial(rule)) return { ...other, host, port }
  return { ...rule, host, paths: [...(rule.paths ?? []), ...restOf(other)] }
}

function isDenial({ paths = [] }: NetworkRule): boolean {
  return paths.every(({ effect }) => effect === 'deny')
}

function restOf(rule: NetworkRule | undefined) {
  if (!rule) return []
  const { effect, paths, place } = rule
  return paths ?? [{ effect, method: '*', path: '/**', ...(place !== undefined && { place }) }]
}
