// Owns who could change where a path leads: the agents that can put something else in the place of one of its directories. Pure.
import { dirname, join, relative, sep } from 'node:path'
import type { ContainerInfo } from 'dockerode'
import { contains } from '../config/real-path.js'

type Mounted = Pick<ContainerInfo, 'Mounts'>

/**
 * Those that could replace one of the paths, or a directory above it. What can be replaced is what lies in a directory that they can
 * write, but for what something is mounted on: the kernel lets nobody inside rename or remove that.
 */
export function writersOf<T extends Mounted>(containers: readonly T[], paths: readonly string[]): T[] {
  return containers.filter((container) => paths.some((path) => couldReplace(container, path)))
}

function couldReplace({ Mounts = [] }: Mounted, path: string): boolean {
  const targets = new Set(Mounts.map(({ Destination }) => Destination))
  return Mounts.some(({ Destination, RW, Source = '' }) => {
    if (!RW || path === Source || !contains(Source, path)) return false
    let parent = Destination
    for (const name of relative(Source, path).split(sep)) {
      // What is mounted there may be the same directory again: then that mount says what of it can be replaced.
      if (nearest(targets, parent) !== Destination) return false
      const component = join(parent, name)
      if (!targets.has(component)) return true
      parent = component
    }
    return false
  })
}

/** The mount that a path in a container belongs to. */
function nearest(targets: ReadonlySet<string>, path: string): string | undefined {
  for (let at = path; ; at = dirname(at)) {
    if (targets.has(at)) return at
    if (at === dirname(at)) return undefined
  }
}
