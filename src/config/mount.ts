// Owns mounts as moat.yaml and flags write them: `source:target[:ro|rw]`, or {source, target, mode, exclude}.
import { realpath } from 'node:fs/promises'
import { posix, resolve } from 'node:path'
import { systemCode } from '../errors.js'
import { coverProblem, normalTarget, targetProblem, workspaceTarget } from './container-target.js'
import { systemReason } from './read-config.js'

export interface Mount {
  /** Absolute paths in the container, below the target, of directories that are the container's own, in memory. */
  exclude?: string[]
  readOnly: boolean
  /** Real, absolute path on the host. */
  source: string
  /** Absolute path in the container. */
  target: string
}

/** More would be a mistake, and each is a mount. */
const mostExcluded = 100

/**
 * Reads one mount; `directory` is what a relative source starts from. The source is its real path: what a person allows
 * is what is mounted, wherever a link leads later. A string says what is wrong.
 */
export async function readMount(text: string, directory: string): Promise<Mount | string> {
  const [source, target, mode = 'rw', ...rest] = text.split(':')
  if (!source || !target || rest.length > 0) return `must be "source:target" or "source:target:ro", not ${quote(text)}`
  if (mode !== 'ro' && mode !== 'rw') return `ends in ${quote(mode)}; a mount's mode is "ro" or "rw"`
  const problem = targetProblem(target)
  if (problem !== undefined) return problem
  return settle({ readOnly: mode === 'ro', source: resolve(directory, source), target: normalTarget(target) })
}

/** What an object among `mounts` says, its values checked for their kind. */
export interface WrittenMount {
  exclude: string[]
  mode: 'ro' | 'rw'
  source: string
  target: string
}

/**
 * The same for an object. The workspace itself may be named, for what of it is excluded: `directory` at /workspace, which is
 * mounted there anyway.
 */
export async function readWrittenMount(written: WrittenMount, directory: string): Promise<Mount | string> {
  const { mode, source, target } = written
  const isWorkspace = target.startsWith('/') && normalTarget(target) === workspaceTarget
  const problem = isWorkspace ? undefined : targetProblem(target)
  if (problem !== undefined) return problem
  const exclude = excludedOf(written)
  if (typeof exclude === 'string') return exclude
  const mount = await settle({
    readOnly: mode === 'ro',
    source: resolve(directory, source),
    target: normalTarget(target),
  })
  if (typeof mount === 'string') return mount
  if (isWorkspace) {
    const own = await realpath(directory).catch(() => directory)
    if (mount.source !== own) return `has the target "${workspaceTarget}", where the workspace already is`
    if (mount.readOnly) return `has the mode "ro"; the workspace is there to be worked in`
  }
  return { ...mount, ...(exclude.length > 0 && { exclude }) }
}

/** True for the workspace named for what of it is excluded: it is mounted anyway. */
export function isWorkspaceItself({ target }: Pick<Mount, 'target'>): boolean {
  return target === workspaceTarget
}

function excludedOf({ exclude, target }: WrittenMount): string | string[] {
  if (exclude.length > mostExcluded) return `excludes more than ${mostExcluded} directories`
  const outer = normalTarget(target)
  const paths: string[] = []
  for (const path of exclude) {
    const inner = normalTarget(posix.join(outer, path))
    const isBelow = !path.startsWith('/') && inner !== outer && inner.startsWith(`${outer}/`)
    if (/[*?[\]]/.test(path)) return `excludes ${quote(path)}: write each directory by its path, such as "node_modules"`
    if (!isBelow) return `excludes ${quote(path)}, which is no path below its target, such as "node_modules"`
    const problem = coverProblem(inner)
    if (problem !== undefined) return `excludes ${quote(path)}, and so ${problem}`
    if (!paths.includes(inner)) paths.push(inner)
  }
  return paths
}

async function settle(mount: Mount): Promise<Mount | string> {
  try {
    return { ...mount, source: await realpath(mount.source) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return `has the source ${mount.source}, which does not exist`
    return `has the source ${mount.source}, which cannot be read: ${systemReason(error)}`
  }
}

function quote(text: string): string {
  return JSON.stringify(text)
}
