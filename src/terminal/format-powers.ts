// Owns the list of what a moat.yaml asks for, as a person reads it before answering.
import type { Power } from '../approvals/power.js'
import { visible } from '../config/visible.js'

/** A line each, with its place; a script of several lines below its name, whole: nothing of it may go unseen. */
export function formatPowers(
  powers: readonly (Omit<Power, 'key'> & { key?: Power['key']; mark?: string; place?: string })[],
): string[] {
  const width = Math.max(...powers.map(({ name }) => visible(name).length))
  return powers.flatMap(({ mark = ' ', name, place, value }) => {
    const lines = value.replace(/\n+$/, '').split('\n').map(visible)
    const at = place === undefined || place === name ? '' : `  (${visible(place)})`
    const title = `  ${mark} ${visible(name).padEnd(width)}`
    if (lines.length === 1) return [`${title}  ${lines[0]}${at}`]
    return [`${title}${at}`.trimEnd(), ...lines.map((line) => `      | ${line}`)]
  })
}

/** Each workspace with what it is allowed. */
export function formatApprovals(records: readonly { path: string; powers: readonly Power[] }[]): string[] {
  return records.flatMap(({ path, powers }) => [visible(path), ...formatPowers(powers)])
}
