// Owns how the progress of a download is told.
import { formatBytes } from './format-bytes.js'

const barWidth = 24

/** `████████░░░░░░░░░░░░░░░░  33 %  15.8 MB of 47.9 MB`; without a known end, what has arrived. */
export function formatDownload({ received, total }: { received: number; total?: number }): string {
  if (!total) return formatBytes(received)
  const share = Math.min(1, received / total)
  const filled = Math.round(share * barWidth)
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled)
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${formatBytes(received)} of ${formatBytes(total)}`
}
