// Owns how the status of trust stores is printed.
import type { StoreStatus } from '../authority/plan-trust.js'
import { formatTable } from './table.js'

/** The text of `moat proxy trust --status`. */
export function formatTrust(stores: readonly StoreStatus[]): string {
  return formatTable([
    ['STORE', 'TRUSTED', 'ASKED', 'REASON'],
    ...stores.map(({ client, name, reason, trusted }) => [
      name,
      trusted === undefined ? 'unknown' : trusted ? 'yes' : 'no',
      client ?? '-',
      reason ?? '',
    ]),
  ])
}
