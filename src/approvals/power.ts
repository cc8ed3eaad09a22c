// Owns what one thing is that a moat.yaml asks for beyond the box.
import type { PowerKey } from '../config/settings-file.js'

/** What an approval is of: the very words, so that any change of them is asked about again. */
export interface Power {
  key: PowerKey
  /** Where moat.yaml says it: `hooks.pre_run`, `ports.db`. */
  name: string
  value: string
}

export interface AskedPower extends Power {
  /** `file:line:column`, or the flag. */
  place: string
  /** True when the user gave it by a flag, or has it given to any agent: it needs no approval, and may still be forbidden. */
  own: boolean
}

export function samePower(a: Power, b: Power): boolean {
  return a.key === b.key && a.name === b.name && a.value === b.value
}
