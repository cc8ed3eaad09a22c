// Owns what moat can put right by itself, as data: a diagnosis proposes it, moat setup does it.
import { shellQuote } from '../config/shell-quote.js'

export type Repair =
  | { kind: 'caddy' }
  /** A program to run. `privileged` ones are run by sudo, and only when the person has said yes. */
  | { argv: [program: string, ...args: string[]]; kind: 'command'; privileged: boolean }

/** As a person would type it. */
export function repairCommand(repair: Repair): string {
  if (repair.kind === 'caddy') return 'moat setup'
  return [...(repair.privileged ? ['sudo'] : []), ...repair.argv.map(shellQuote)].join(' ')
}
