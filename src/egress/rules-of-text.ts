// Owns a rule as it is typed in a shell: a host, a host with a method and a path, or `preset:npm`.
import { nearestName } from '../routing/nearest-name.js'
import type { Effect, NetworkRule } from './policy.js'
import { networkPresets, presetMeant, presetRules } from './presets.js'
import { readRuleText } from './read-rule.js'

/** `place` is where it was typed. A string says what is wrong, as the end of a sentence about the text. */
export function rulesOfText(text: string, effect: Effect, place: string): NetworkRule[] | string {
  const preset = /^preset:\s*(.*)$/.exec(text.trim())?.[1]
  if (preset === undefined) {
    const meant = presetMeant(text)
    if (meant !== undefined) return `names a preset; write preset:${meant}, or ${meant}:443 for a host of that name`
    const rule = readRuleText(text, effect)
    return typeof rule === 'string' ? rule : [{ ...rule, place }]
  }
  const rules = presetRules(preset)
  if (rules) return rules.map((rule) => denied({ ...rule, place: `${place}, preset ${preset}` }, effect))
  const nearest = nearestName(preset, [...networkPresets().keys()])
  return `names a preset that there is none of; ${nearest === undefined ? 'moat network presets lists them' : `did you mean preset:${nearest}?`}`
}

/** Of a rule about paths, it is the lines that allow and deny. */
function denied(rule: NetworkRule, effect: Effect): NetworkRule {
  if (effect === 'allow') return rule
  if (rule.paths) return { ...rule, paths: rule.paths.map((line) => ({ ...line, effect })) }
  return { ...rule, effect, text: `deny: ${rule.text}` }
}
