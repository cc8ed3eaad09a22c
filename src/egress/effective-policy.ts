// Owns the policy that holds for an agent: none at all, what was said before its start, and what was said while it runs. Pure.
import { findRule } from './decide.js'
import { openGranted } from './granted-rules.js'
import { matchesHost } from './hosts.js'
import type { NetworkPolicy, NetworkRule } from './policy.js'

/** The policy of an agent about which nothing was said. */
export const openNetwork: NetworkPolicy = { host: [], peers: [], policy: 'permissive', rules: [] }

/** True for a policy that says nothing: everything is as the engine has it. */
export function isOpen({ host, peers, policy, rules }: NetworkPolicy): boolean {
  return policy === 'permissive' && rules.length === 0 && host.length === 0 && peers.length === 0
}

/**
 * `live` before the rules of `policy`, the newest first. A live rule about paths is about those paths only: what was said of
 * the host before goes on below it.
 */
export function effectivePolicy(policy: NetworkPolicy | undefined, live: readonly NetworkRule[]): NetworkPolicy {
  const base = policy ?? openNetwork
  const rules = [...base.rules]
  for (const rule of live) rules.unshift(...withRest(rule, rules))
  return { ...base, rules: openGranted(rules) }
}

/** The rule, with what `rules` say of its host for the paths that it does not name; by port, where that makes a difference. */
function withRest(rule: NetworkRule, rules: readonly NetworkRule[]): NetworkRule[] {
  const { host, paths, port } = rule
  if (!paths) return [rule]
  const ports = port === undefined ? [80, 443] : [port]
  const found = ports.map((one) => rules.find((other) => isAbout(other, host, one)))
  const [first] = found
  if (found.every((one) => one === first)) return [{ ...rule, paths: [...paths, ...restOf(first)] }]
  return ports.map((one, index) => ({ ...rule, paths: [...paths, ...restOf(found[index])], port: one }))
}

/** `host` may be a pattern itself. */
function isAbout(other: NetworkRule, host: string, port: number): boolean {
  if (other.host === host) return findRule([{ ...other, host: '*' }], host, port) !== undefined
  const example = host.startsWith('*.') ? `x${host.slice(1)}` : host
  return matchesHost(other.host, example) && findRule([{ ...other, host: '*' }], example, port) !== undefined
}

function restOf(rule: NetworkRule | undefined) {
  if (!rule) return []
  const { effect, paths, place } = rule
  return paths ?? [{ effect, method: '*', path: '/**', ...(place !== undefined && { place }) }]
}
