// Owns what becomes of clones when their agents are destroyed: they go too, but not with work that is nowhere else, unless asked for.
import { unsavedIn } from '../clones/pull-clone.js'
import { MoatError } from '../errors.js'
import { findAgent } from './find-agent.js'
import { type CloneWork, cloneOf, type FoundClone, inClone } from './find-clone.js'
import type { AgentChoice } from './stop-agent.js'

/** The clones of the agents that are chosen. Throws CLONE_UNSAVED for the first that has something which would be lost. */
export async function clonesToDestroy(work: CloneWork, choice: AgentChoice, force: boolean): Promise<FoundClone[]> {
  const { agents, unsealed } = await work.engine.listAgents()
  const chosen = choice === 'all' ? agents : new Set(choice.map((reference) => findAgent(agents, reference, unsealed)))
  const clones: FoundClone[] = []
  for (const agent of chosen) {
    const clone = await cloneOf(work, agent)
    if (!clone) continue
    if (!force) await assertSaved(clone, work)
    clones.push(clone)
  }
  return clones
}

/** Once their containers are gone; the names of those that are gone too. */
export async function destroyClones(
  { engine }: Pick<CloneWork, 'engine'>,
  clones: readonly FoundClone[],
): Promise<string[]> {
  const gone: string[] = []
  for (const { agent, volume } of clones) if ((await engine.volumes.remove(volume.id)) !== 'used') gone.push(agent)
  return gone
}

async function assertSaved(clone: FoundClone, work: CloneWork): Promise<void> {
  const { agent, commonDir } = clone
  const unsaved = await inClone(clone, work, (git) => unsavedIn(git, agent, commonDir))
  if (unsaved.length === 0) return
  throw new MoatError('CLONE_UNSAVED', `The clone of ${agent} has ${unsaved.join(', ')}; nothing was destroyed.`, {
    suggestions: [`moat pull ${agent}`, `moat stop ${agent}   # the clone stays`, `moat destroy ${agent} --force`],
  })
}
