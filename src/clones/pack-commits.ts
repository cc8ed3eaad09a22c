// Owns packing commits of a repository on this machine, with all that belongs to them, into files.
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { MoatError } from '../errors.js'
import { askGit, gitCommand, gitFailed } from '../worktrees/git.js'
import type { GitPlace } from '../worktrees/git-place.js'

/**
 * Writes `<base>-<hash>.pack` and its index: what `wanted` needs, and is not in `known`. The path of the pack. Objects that the
 * repository lacks, as a partial clone does, are fetched from nowhere.
 */
export async function packCommits(
  place: GitPlace,
  wanted: readonly string[],
  known: readonly string[],
  { base }: { base: string },
): Promise<string> {
  const lines = [...wanted, ...known.map((id) => `^${id}`)].map((id) => `${id}\n`)
  const args = ['pack-objects', '--revs', '--quiet', '--delta-base-offset', base]
  const outcome = await askGit(place, args, { input: Buffer.from(lines.join('')) })
  if (outcome.code === 0) {
    const name = (await readdir(dirname(base))).find(
      (file) => file.startsWith(`${basename(base)}-`) && file.endsWith('.pack'),
    )
    if (name !== undefined) return join(dirname(base), name)
  }
  throw new MoatError('CLONE_FAILED', 'Not all that the branches and tags of this repository name could be packed.', {
    cause: gitFailed(place, outcome),
    suggestions: [`${gitCommand(place)} fsck`],
  })
}
