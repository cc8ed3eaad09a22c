// Owns what a branch may be called, and the name of a run on it: a DNS label, the same every time. Pure.
import { createHash } from 'node:crypto'
import { isDnsLabel, maxLabelLength, suggestDnsLabel } from '../routing/dns-label.js'

/** Hex digits that tell apart branches whose labels would be the same. */
const hashLength = 6
const hashed = new RegExp(`-[0-9a-f]{${hashLength}}$`)
/** What an agent's name keeps of moat.yaml's `name` when both do not fit. */
const longestPrefix = 28

/** True for a name that git accepts for a branch, and that no command line takes for a flag. */
export function isBranchName(name: string): boolean {
  if (name === '' || name === '@' || name === 'HEAD' || Buffer.byteLength(name) > 1000) return false
  if (/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|[/.]$/u.test(name)) return false
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'))
}

/**
 * `{name}-{branch}`, or `{branch}` without a name, as it stands if it is a DNS label; else a label made of it that ends
 * in a hash of it. A branch that looks as if it ended in such a hash gets one too, so no two branches share a label.
 */
export function branchRunName(name: string | undefined, branch: string): string {
  const whole = name === undefined ? branch : `${name}-${branch}`
  if (isDnsLabel(whole) && !hashed.test(whole)) return whole
  const hash = createHash('sha256')
    .update(`${name ?? ''}\0${branch}`)
    .digest('hex')
    .slice(0, hashLength)
  const room = maxLabelLength - hashLength - 1
  const prefix = name === undefined ? '' : `${cut(name, whole.length > room ? longestPrefix : room)}-`
  // A letter first where the branch has nothing that a label may hold.
  const label = cut(suggestDnsLabel(branch) ?? 'branch', room - prefix.length)
  return `${prefix}${label}-${hash}`
}

function cut(label: string, length: number): string {
  return label.slice(0, length).replace(/-+$/, '')
}
