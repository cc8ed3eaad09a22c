// Owns what a pattern of config.yaml says of a rule that a moat.yaml asks for: whether it covers it, or has part in it. Pure.
import type { DeclaredRule } from '../config/network-schema.js'
import { matchesHost } from '../egress/hosts.js'
import { presetRules } from '../egress/presets.js'
import { type RuleTarget, readTarget } from '../egress/read-rule.js'

const exception = ' but not '

/** What rules allow, in words that change when a denial before them goes. */
export function rulePowers(rules: readonly DeclaredRule[]): { index: number; value: string }[] {
  return rules.flatMap(({ rules: own, text }, index) => {
    if (own.every(({ effect }) => effect === 'deny')) return []
    const denied = rules.slice(0, index).filter((other) => other.rules.every(({ effect }) => effect === 'deny'))
    const except = denied.map((other) => other.text.replace(/^deny: /, '')).filter((host) => touchesRule(host, text))
    return [{ index, value: except.length > 0 ? `${text}${exception}${except.join(', ')}` : text }]
  })
}

/** True when all that the rule allows is what `pattern` names. `value` is the rule's text, or `permissive`. */
export function coversRule(pattern: string, value: string): boolean {
  if (pattern === '*' || pattern === value) return true
  const wanted = targetsOf(pattern)
  const asked = targetsOf(value)
  return asked.length > 0 && asked.every((one) => wanted.some((other) => covers(other, one)))
}

/** True when something of what the rule allows is what `pattern` names, at whatever port. */
export function touchesRule(pattern: string, value: string): boolean {
  if (pattern === '*' || pattern === value) return true
  const hosts = targetsOf(value).map(({ host }) => host)
  return targetsOf(pattern).some(({ host }) => hosts.some((one) => coversHost(host, one) || coversHost(one, host)))
}

/** None for `permissive`. */
function targetsOf(text: string): RuleTarget[] {
  const preset = /^preset: ?(\S*)/.exec(text)?.[1]
  if (preset !== undefined) return presetRules(preset) ?? []
  if (text === 'permissive') return []
  // `api.github.com: allow GET /repos/**`, of which the host is what counts, and `--allow "api.github.com GET /x"`.
  const target = readTarget(text.replace(/^allow: /, '').replace(/:? .*$/s, ''))
  return typeof target === 'string' ? [] : [target]
}

function covers(pattern: RuleTarget, rule: RuleTarget): boolean {
  const samePort = pattern.port === rule.port || (pattern.port === undefined && [80, 443].includes(rule.port ?? 0))
  return samePort && coversHost(pattern.host, rule.host)
}

function coversHost(pattern: string, host: string): boolean {
  if (pattern === host || pattern === '*') return true
  return matchesHost(pattern, host.startsWith('*.') ? `x${host.slice(1)}` : host) && host !== '*'
}
