// Owns which branches of a clone may become branches of the user's repository, and under which names. Pure.
import { isBranchName } from '../worktrees/branch-name.js'
import type { CloneRef } from './read-clone.js'

export interface WantedRef extends CloneRef {
  /** `refs/heads/moat/<agent>/<branch>` */
  ref: string
}

export interface RefusedRef {
  branch: string
  reason: string
}

/** Bytes of one part of a name: file systems take 255, and git adds `.lock`. */
const longestPart = 200
/** Bytes of a whole name. */
const longestName = 400

/**
 * No name leads out of the agent's own place, and none hides another: file systems may hold names for the same that git holds for
 * different ones.
 */
export function chooseRefs(agent: string, refs: readonly CloneRef[]): { refused: RefusedRef[]; wanted: WantedRef[] } {
  const refused: RefusedRef[] = []
  const wanted: WantedRef[] = []
  const taken = new Map<string, string>()
  // In one order, so that it is the same ones each time.
  for (const { branch, id } of refs.toSorted((a, b) => (a.branch < b.branch ? -1 : 1))) {
    const reason = problemOf(branch) ?? clashOf(taken, branch)
    if (reason === undefined) {
      taken.set(folded(branch), branch)
      wanted.push({ branch, id, ref: `refs/heads/moat/${agent}/${branch}` })
    } else refused.push({ branch, reason })
  }
  return { refused, wanted }
}

function problemOf(branch: string): string | undefined {
  // HEAD alone is what moat calls a detached one.
  if (branch !== 'HEAD' && !isBranchName(branch)) return 'git accepts no such name'
  if (branch.split('/').some((part) => part.startsWith('-'))) return 'a part of its name begins with "-"'
  if (/[\p{C}\p{Zl}\p{Zp}\uFFFD]/u.test(branch)) return 'its name has characters that are not seen'
  const parts = branch.split('/').map((part) => Buffer.byteLength(part))
  if (Buffer.byteLength(branch) > longestName || Math.max(...parts) > longestPart) return 'its name is too long'
  return undefined
}

function clashOf(taken: ReadonlyMap<string, string>, branch: string): string | undefined {
  const own = folded(branch)
  for (const [other, name] of taken) {
    if (own === other) return `its name differs from that of ${name} in nothing that every file system keeps`
    if (own.startsWith(`${other}/`) || other.startsWith(`${own}/`)) return `its name cannot stand beside ${name}`
  }
  return undefined
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase().toUpperCase().toLowerCase()
}
