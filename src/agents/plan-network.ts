// Owns the policy an agent starts with: moat.yaml, --allow, and the user's default brought together.
import type { DeclaredNetwork } from '../config/moat-yaml.js'
import type { NetworkPolicy, NetworkRule, PolicyMode } from '../egress/policy.js'
import { rulesOfText } from '../egress/rules-of-text.js'
import { exitCodes, MoatError } from '../errors.js'

export interface NetworkSources {
  /** `--allow`, each as it was typed. */
  allow: readonly string[]
  declared: DeclaredNetwork | undefined
  defaultPolicy: PolicyMode
}

/** Flags come first. Throws USAGE. */
export function planNetwork({ allow, declared, defaultPolicy }: NetworkSources): NetworkPolicy {
  const { host = [], peers = [], policy = defaultPolicy, rules = [] } = declared ?? {}
  return {
    host,
    peers,
    policy,
    rules: [...allow.flatMap(allowedByFlag), ...rules.flatMap((declared) => declared.rules)],
  }
}

function allowedByFlag(text: string): NetworkRule[] {
  const rules = rulesOfText(text, 'allow', '--allow')
  if (typeof rules !== 'string') return rules
  throw new MoatError('USAGE', `--allow ${JSON.stringify(text)} ${rules}${rules.endsWith('?') ? '' : '.'}`, {
    exit: exitCodes.usage,
    suggestions: ['moat run --allow packages.example.com', 'moat network presets'],
  })
}
