// Owns telling of grants that cannot be read, beside those that can.
import { MoatError, messageOf } from '../errors.js'
import type { GrantName } from '../grants/injection.js'

export function tellBroken(broken: readonly { error: unknown; name: GrantName }[], tell: (line: string) => void): void {
  for (const { error } of broken) {
    tell(messageOf(error))
    if (error instanceof MoatError) for (const fix of error.suggestions ?? []) tell(`  ${fix}`)
  }
}
