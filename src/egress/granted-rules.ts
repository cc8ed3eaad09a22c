// Owns rules that are there for grants: their hosts are opened, whatever rule allows them, for only so can a value be put in; and
// they go when the grant goes. Pure.
import { findRule } from './decide.js'
import type { NetworkPolicy, NetworkRule } from './policy.js'

/** The rules, and before them what opens a granted host that a rule without paths would let through unopened. A denial stays one. */
export function openGranted(rules: readonly NetworkRule[]): NetworkRule[] {
  const opening = rules.flatMap((granted): NetworkRule[] => {
    const { grant, host, paths, port } = granted
    // One without paths is let through as it is: ssh, and hosts that get no value.
    if (grant === undefined || paths === undefined || port === undefined) return []
    const found = findRule(rules, host, port)
    if (!found || found.paths || found.effect === 'deny') return []
    const { place, text } = found
    const all = { effect: 'allow' as const, method: '*', path: '/**', ...(place !== undefined && { place }) }
    return [{ ...found, grant, host, paths: [all], port, text }]
  })
  return [...opening, ...rules]
}

/** The policy without what it has for the sake of grants that are no more. */
export function withoutRevoked(policy: NetworkPolicy, isThere: (grant: string) => boolean): NetworkPolicy {
  const grants = new Map<string, boolean>()
  const stays = ({ grant }: NetworkRule) => {
    if (grant === undefined) return true
    const known = grants.get(grant) ?? isThere(grant)
    grants.set(grant, known)
    return known
  }
  return { ...policy, rules: policy.rules.filter(stays) }
}
