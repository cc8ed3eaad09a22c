// Owns noticing that a checkout has another commit. An agent may have written all that git knows there: files are looked at from outside,
// and git is asked, in moat's careful way, once they have changed.
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { currentBranch } from './find-checkout.js'
import { askGit } from './git.js'
import type { GitPlace } from './git-place.js'
import { placeAt } from './workspace-git.js'

export class HeadWatch {
  #commit: string | undefined
  #mark = ''
  readonly #workspace: string

  constructor(workspace: string) {
    this.#workspace = workspace
  }

  /** Undefined where there is no repository, or no commit yet. */
  async commit(): Promise<string | undefined> {
    const place = await placeAt(this.#workspace)
    const mark = place ? await markOf(place) : ''
    if (mark === this.#mark) return this.#commit
    try {
      this.#commit = place && (await commitOf(place))
      this.#mark = mark
    } catch {
      // The next look asks again.
    }
    return this.#commit
  }
}

async function commitOf(place: GitPlace): Promise<string | undefined> {
  const { code, stdout } = await askGit(place, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], { timeout })
  return code === 0 ? stdout.trim() : undefined
}

/** Milliseconds. */
const timeout = 10_000

/** What git writes when HEAD comes to another commit: one of these at least. */
async function markOf({ commonDir, gitDir }: GitPlace): Promise<string> {
  const branch = await currentBranch(gitDir)
  const files = [
    join(gitDir, 'HEAD'),
    join(gitDir, 'logs/HEAD'),
    join(commonDir, 'packed-refs'),
    join(commonDir, 'reftable/tables.list'),
    ...(branch === undefined ? [] : [join(commonDir, 'refs/heads', branch)]),
  ]
  const marks = files.map(async (file) => {
    const { ctimeNs = 0, ino = 0, size = 0 } = (await lstat(file, { bigint: true }).catch(() => undefined)) ?? {}
    return `${ino}:${size}:${ctimeNs}`
  })
  return [commonDir, gitDir, ...(await Promise.all(marks))].join(' ')
}
