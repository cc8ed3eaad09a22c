// Owns which clone a person means by an agent, which may have ended, and having a git that works in it, not on this machine.

import { realpath } from 'node:fs/promises'
import { type CloneGit, NoGitError, withCloneHelper } from '../clones/clone-helper.js'
import { agentOfClone, cloneVolume } from '../clones/clone-volume.js'
import type { MoatPaths } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import type { Engine } from '../engine/engine.js'
import { containerName } from '../engine/labels.js'
import type { VolumeInfo } from '../engine/volumes.js'
import { exitCodes, MoatError } from '../errors.js'
import { planImage } from '../images/plan-image.js'
import type { Agent } from '../routing/agent.js'
import { isGitDirectory, mainDirectory, repositoryAt } from '../worktrees/git-place.js'
import { assertOwned } from '../worktrees/owner.js'
import { prepareImage } from './container/ensure-image.js'
import { AgentReferenceError, findAgent } from './find-agent.js'
import type { Progress } from './progress.js'

export interface FoundClone {
  /** The name of its agent. */
  agent: string
  /** The own directory of the repository that it is of. */
  commonDir: string
  /** The image of its agent's container, as long as there is one. */
  image?: string
  volume: VolumeInfo
}

export interface CloneWork {
  engine: Engine
  paths: Pick<MoatPaths, 'home'>
  progress: Progress
  signal: AbortSignal
  user: { gid: number; uid: number }
}

/** `here` is the own directory of the repository that it is asked from: of clones of one name its is meant. Throws CLONE_NOT_FOUND. */
export async function findClone(
  { engine, paths }: Pick<CloneWork, 'engine' | 'paths'>,
  reference: string,
  here: string | undefined,
): Promise<FoundClone> {
  const [{ agents, unsealed }, volumes] = await Promise.all([engine.listAgents(), engine.volumes.list()])
  const agent = agentBy(() => findAgent(agents, reference, unsealed))
  const name = agent?.name ?? reference
  const clones = volumes.filter((volume) => agentOfClone(volume) === name)
  const container = agent?.clone === undefined ? undefined : containerName(agent.name, paths.home)
  const found =
    clones.find(({ usedBy }) => container !== undefined && usedBy.includes(container)) ??
    clones.find(({ place }) => place === here) ??
    (clones.length === 1 ? clones[0] : undefined)
  if (found) {
    const image = agent?.clone
    return { agent: name, commonDir: found.place, volume: found, ...(image !== undefined && { image }) }
  }
  if (clones.length > 1) throw ambiguous(name, clones)
  // Whoever is mistaken in the name hears of the one that may be meant.
  if (!agent) findAgent([...agents, ...runsOf(volumes)], reference, unsealed)
  throw new MoatError('CLONE_NOT_FOUND', `${name} works in no clone: what it commits is in your repository already.`, {
    suggestions: ['moat volumes list', `moat run --clone --name ${name}`],
  })
}

/** Throws NOT_A_REPOSITORY where there is nothing by now that a clone could be pulled into. */
export async function assertRepository({ agent, commonDir, volume }: FoundClone): Promise<void> {
  const real = await realpath(commonDir).catch(() => undefined)
  if (real === commonDir && (await isGitDirectory(commonDir))) return assertOwned(repositoryAt(commonDir))
  throw new MoatError('NOT_A_REPOSITORY', `${commonDir}, the repository that the clone of ${agent} is of, is gone.`, {
    // An empty one is as good: all that is in the clone is then fetched.
    suggestions: [`git init ${shellQuote(mainDirectory(commonDir))}`, `moat volumes rm ${volume.id}`],
  })
}

/** The clone of an agent there is; undefined for one without. */
export async function cloneOf(
  { engine, paths }: Pick<CloneWork, 'engine' | 'paths'>,
  agent: Agent,
): Promise<FoundClone | undefined> {
  if (agent.clone === undefined) return undefined
  return findClone({ engine, paths }, agent.runId, undefined)
}

/** Runs `action` with a git that works in the clone: of its agent's image, or of one that moat builds for that, if it has none. */
export async function inClone<T>(
  { commonDir, agent, image }: FoundClone,
  { engine, progress, signal, user }: CloneWork,
  action: (git: CloneGit) => Promise<T>,
  { writes = false } = {},
): Promise<T> {
  const volume = cloneVolume(agent, commonDir)
  if (image !== undefined && (await engine.hasImage(image))) {
    try {
      return await withCloneHelper({ engine, image, signal, user, volume, writes }, action)
    } catch (error) {
      if (!(error instanceof NoGitError)) throw error
    }
  }
  const plan = planImage({ dependencies: ['git'], hooks: { postBuild: [], postBuildRoot: [] } })
  const built = await prepareImage(engine, plan, { progress, rebuild: false, signal, user })
  return withCloneHelper({ engine, image: built.image, signal, user, volume, writes }, action)
}

function agentBy(find: () => Agent): Agent | undefined {
  try {
    return find()
  } catch (error) {
    if (error instanceof AgentReferenceError && error.code === 'AGENT_NOT_FOUND') return undefined
    throw error
  }
}

function runsOf(volumes: readonly VolumeInfo[]): { name: string; runId: string }[] {
  return volumes.flatMap((volume) => {
    const name = agentOfClone(volume)
    return name === undefined ? [] : [{ name, runId: '' }]
  })
}

function ambiguous(name: string, clones: readonly VolumeInfo[]): MoatError {
  return new MoatError('USAGE', `${clones.length} repositories have a clone for ${name}: say which by where you are.`, {
    exit: exitCodes.usage,
    suggestions: clones.map(({ place }) => `cd ${place.replace(/\/\.git$/, '')}`),
  })
}
