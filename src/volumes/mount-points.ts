// Owns the directories at which volumes and memory are mounted in what is itself mounted: an engine makes one that is missing as
// root's, in the user's workspace.
import { join, relative } from 'node:path'
import { makeInside } from '../config/make-inside.js'
import { contains } from '../config/real-path.js'
import { exitCodes, MoatError } from '../errors.js'

interface Mounted {
  readOnly: boolean
  source: string
  target: string
}

export interface MountPoints {
  /** How moat.yaml is named to a person. */
  displayFile: string
  /** What the user has mounted, and the workspace. */
  given: readonly Mounted[]
  /** All that is mounted from the host. */
  mounts: readonly Mounted[]
  /** What volumes and memory are mounted at. */
  targets: readonly string[]
}

/** Makes what is missing. The paths on the host that the engine will mount at. Throws CONFIG_INVALID. */
export function prepareMountPoints({ displayFile, given, mounts, targets }: MountPoints): string[] {
  return targets.flatMap((target) => {
    const outer = nearest(mounts, target)
    const cover = nearest(
      targets.filter((other) => other !== target).map((other) => ({ target: other })),
      target,
    )
    // In a volume, or in memory: not on this machine's side.
    if (!outer || (cover && contains(outer.target, cover.target))) return []
    const fail = (reason: string, suggestions: string[]) =>
      new MoatError('CONFIG_INVALID', `${displayFile}: nothing can be mounted at ${target}: ${reason}.`, {
        exit: exitCodes.usage,
        suggestions,
      })
    if (outer.target === target || !given.some((mount) => mount.target === outer.target)) {
      throw fail(`moat itself has mounted ${outer.target}`, ['give the volume another target in moat.yaml'])
    }
    const path = relative(outer.target, target)
    const place = join(outer.source, path)
    const problem = makeInside(outer.source, path, { make: !outer.readOnly })
    if (problem === 'missing') throw fail(`${place} is missing, and its mount is read-only`, [`mkdir -p ${place}`])
    if (problem)
      throw fail(`on the way to ${place} there is something other than a directory, such as a symbolic link`, [
        `ls -ld ${place}`,
      ])
    return [place]
  })
}

/** The mount that a path in a container belongs to. */
function nearest<T extends { target: string }>(mounts: readonly T[], path: string): T | undefined {
  return mounts
    .filter(({ target }) => contains(target, path))
    .toSorted((a, b) => b.target.length - a.target.length)
    .at(0)
}
