// Owns that hosts of grants are opened, whatever rule allows them: only so can a value be put in. Pure.
import { findRule } from './decide.js'
import type { NetworkRule } from './policy.js'

/** The rules, and before them what opens a granted host that a rule without paths would let through unopened. A denial stays one. */
export function openGranted(rules: readonly NetworkRule[]): NetworkRule[] {
  const opening = rules.flatMap((granted): NetworkRule[] => {
    const { grant, host, port } = granted
    if (grant === undefined || port === undefined) return []
    const found = findRule(rules, host, port)
    if (!found || found.paths || found.effect === 'deny') return []
    const { place, text } = found
    const all = { effect: 'allow' as const, method: '*', path: '/**', ...(place !== undefined && { place }) }
    return [{ ...found, grant, host, paths: [all], port, text }]
  })
  return [...opening, ...rules]
}
