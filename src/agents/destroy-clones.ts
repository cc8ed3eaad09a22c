// Owns what becomes of clones when their agents are destroyed: they go too, but not with work that is nowhere else, unless asked for.
import { unsavedIn } from '../clones/pull-clone.js'
import { MoatError, messageOf } from '../errors.js'
import { isLive } from '../routing/agent.js'
import { findAgent } from './find-agent.js'
import { assertRepository, type CloneWork, cloneOf, type FoundClone, inClone } from './find-clone.js'
import type { AgentChoice } from './stop-agent.js'

export interface DoomedClone extends FoundClone {
  /** Its agent may have worked on after it was looked at. */
  isChanging: boolean
}

/** The clones of the agents that are chosen. Throws CLONE_UNSAVED for the first that has something which would be lost. */
export async function clonesToDestroy(work: CloneWork, choice: AgentChoice, force: boolean): Promise<DoomedClone[]> {
  const { agents, unsealed } = await work.engine.listAgents()
  const chosen = choice === 'all' ? agents : new Set(choice.map((reference) => findAgent(agents, reference, unsealed)))
  const clones: DoomedClone[] = []
  for (const agent of chosen) {
    // A volume that somebody has removed is nobody's loss any more.
    const clone = await cloneOf(work, agent).catch(() => undefined)
    if (!clone) continue
    const unsaved = force ? [] : await whatWouldBeLost(clone, work)
    if (unsaved.length > 0) throw wouldBeLost(clone, unsaved)
    clones.push({ ...clone, isChanging: !force && isLive(agent) })
  }
  return clones
}

/** Once their containers are gone; the names of those that are gone too. */
export async function destroyClones(work: CloneWork, clones: readonly DoomedClone[]): Promise<string[]> {
  const gone: string[] = []
  for (const clone of clones) {
    const { agent, isChanging, volume } = clone
    if (isChanging && (await whatWouldBeLost(clone, work)).length > 0) continue
    if ((await work.engine.volumes.remove(volume.id)) !== 'used') gone.push(agent)
  }
  return gone
}

/** What cannot be told is taken for something. */
async function whatWouldBeLost(clone: FoundClone, work: CloneWork): Promise<string[]> {
  try {
    await assertRepository(clone)
    return await inClone(clone, work, (git) => unsavedIn(git, clone.agent, clone.commonDir))
  } catch (error) {
    work.signal.throwIfAborted()
    return [`what cannot be looked at (${messageOf(error)})`]
  }
}

function wouldBeLost({ agent }: FoundClone, unsaved: readonly string[]): MoatError {
  return new MoatError('CLONE_UNSAVED', `The clone of ${agent} has ${unsaved.join(', ')}; nothing was destroyed.`, {
    suggestions: [`moat pull ${agent}`, `moat stop ${agent}   # the clone stays`, `moat destroy ${agent} --force`],
  })
}
