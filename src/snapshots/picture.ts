// Owns telling cheaply whether a workspace is as it was a moment ago: a sum of what its files look like from outside. None is read.
import { createHash } from 'node:crypto'
import type { IgnoreRules } from '../worktrees/ignore-rules.js'
import { whileRunning } from './limits.js'
import { scan } from './scan.js'

/** Of a directory only what is in it counts: what git ignores comes and goes there. */
export async function pictureOf(workspace: string, rules: IgnoreRules): Promise<string> {
  const found = await scan({ also: new Set(), known: new Map(), limits: whileRunning, rules, workspace })
  const sum = createHash('sha256')
  for (const [path, { changedMs, inode, kind, mode, modifiedMs, size }] of found.entries) {
    const times = kind === 'directory' ? [] : [size, inode, changedMs, modifiedMs]
    sum.update(`${[path, kind, mode, ...times].join('\0')}\n`, 'latin1')
  }
  return sum.digest('hex')
}
