// Owns what becomes of the powers a moat.yaml asks for: forbidden, still to be asked about, or allowed.
import type { Settings } from '../config/settings.js'
import { type AskedPower, type Power, samePower } from './power.js'
import { ruleFor } from './powers.js'

export interface Judgement {
  /** With the pattern of `never` that says so. */
  forbidden: { pattern: string; power: AskedPower }[]
  /** What was allowed before and is now asked for in other words or not at all, of the keys that have something pending. */
  gone: Power[]
  pending: AskedPower[]
}

/** `approved` is what the user has allowed this workspace before. */
export async function judge(
  powers: readonly AskedPower[],
  { approvals, never }: Pick<Settings, 'approvals' | 'never'>,
  approved: readonly Power[],
): Promise<Judgement> {
  const judgement: Judgement = { forbidden: [], gone: [], pending: [] }
  for (const power of powers) {
    const pattern = await ruleFor(power, never[power.key], 'never')
    if (pattern !== undefined) judgement.forbidden.push({ pattern, power })
    else if (power.own || approved.some((known) => samePower(known, power))) continue
    else if ((await ruleFor(power, approvals[power.key], 'approvals')) === undefined) judgement.pending.push(power)
  }
  const changed = new Set(judgement.pending.map(({ name }) => name))
  judgement.gone = approved.filter(
    (known) => changed.has(known.name) && !powers.some((power) => samePower(known, power)),
  )
  return judgement
}
