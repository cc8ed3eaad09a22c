// Owns where the kept directories of a coding agent lie: in volumes of the engine, by profile, and by repository where it keeps
// something of a project. Pure.
import { posix } from 'node:path'
import { exitCodes, MoatError } from '../errors.js'
import type { PlannedVolume } from '../volumes/plan-volumes.js'
import type { AgentProgram } from './contract.js'

export interface StatePlace {
  /** The repository's own directory, of a workspace that is a checkout. */
  commonDir?: string | undefined
  /** `~/.moat`, to which what belongs to no workspace belongs. */
  home: string
  profile: string
  workspace: string
}

/** Names with a dot, which no volume in a moat.yaml can have: a repository's file never gets at them. */
export function stateVolumes(
  { name, state }: Pick<AgentProgram, 'name' | 'state'>,
  { commonDir, home, profile, workspace }: StatePlace,
): PlannedVolume[] {
  return state.map(({ directory, scope }) => ({
    name: [...new Set([name, posix.basename(directory).replace(/[^\w-]/g, '')]), profile].join('.'),
    place: scope === 'profile' ? home : (commonDir ?? workspace),
    readOnly: false,
    scope: 'repository',
    target: directory,
  }))
}

/** Throws CONFIG_INVALID where moat.yaml, or a flag, has something else at such a directory, or around it. */
export function assertStateFree(
  { name, state }: Pick<AgentProgram, 'name' | 'state'>,
  given: readonly { target: string }[],
  displayFile: string,
): void {
  for (const { directory } of state) {
    const clash = given.find(({ target }) => target === directory || directory.startsWith(`${target}/`))
    if (!clash) continue
    const message = `${displayFile} or a flag mounts something at ${clash.target}, where moat ${name} keeps ${directory}.`
    throw new MoatError('CONFIG_INVALID', message, {
      exit: exitCodes.usage,
      suggestions: ['give the mount or volume another target'],
    })
  }
}
