// Owns the policy an agent starts with: moat.yaml, --allow, and the user's default brought together.
import type { DeclaredNetwork } from '../../config/moat-yaml.js'
import { withRules } from '../../egress/effective-policy.js'
import type { NetworkPolicy, NetworkRule, PolicyMode } from '../../egress/policy.js'
import { rulesOfText } from '../../egress/rules-of-text.js'
import { exitCodes, MoatError } from '../../errors.js'

export interface NetworkSources {
  /** `--allow`, each as it was typed. */
  allow: readonly string[]
  declared: DeclaredNetwork | undefined
  defaultPolicy: PolicyMode
}

/** Flags come first; one about paths leaves what moat.yaml says of the host's others. Throws USAGE. */
export function planNetwork({ allow, declared, defaultPolicy }: NetworkSources): NetworkPolicy {
  const { host = [], peers = [], policy = defaultPolicy, rules = [] } = declared ?? {}
  const own = { host, peers, policy, rules: rules.flatMap((declared) => declared.rules) }
  return withRules(own, allow.flatMap(allowedByFlag).toReversed())
}

function allowedByFlag(text: string): NetworkRule[] {
  const rules = rulesOfText(text, 'allow', '--allow')
  if (typeof rules !== 'string') return rules
  throw new MoatError('USAGE', `--allow ${JSON.stringify(text)} ${rules}${rules.endsWith('?') ? '' : '.'}`, {
    exit: exitCodes.usage,
    suggestions: ['moat run --allow packages.example.com', 'moat network presets'],
  })
}
