// Owns each way in which moat calls git, one after the other, in a repository that may be trapped.
import { cleanWorktrees } from '../../../src/agents/clean-worktrees.js'
import { moatPaths } from '../../../src/config/paths.js'
import type { Engine } from '../../../src/engine/engine.js'
import { MoatError } from '../../../src/errors.js'
import { checkoutNotes } from '../../../src/worktrees/checkout-notes.js'
import { findCheckout, placeOf } from '../../../src/worktrees/find-checkout.js'
import { containerGitEnvironment } from '../../../src/worktrees/git-environment.js'
import { prepareWorktree } from '../../../src/worktrees/prepare-worktree.js'
import { listWorktrees, openRepository, remotesWithCredentials } from '../../../src/worktrees/repository.js'
import { unsavedWork } from '../../../src/worktrees/unsaved-work.js'
import type { TrappedRepository } from '../../helpers/trapped-repository.js'

const engine = { listAgents: async () => ({ agents: [], unreadable: [] }) } as unknown as Engine

/** Each way in which moat calls git; the errors that a person is told of. */
export async function everyGit(at: TrappedRepository): Promise<string[]> {
  const errors: string[] = []
  const told = async (action: () => Promise<unknown>) => {
    try {
      await action()
    } catch (error) {
      if (!(error instanceof MoatError)) throw error
      errors.push(error.message)
    }
  }
  const paths = moatPaths(process.env)
  await told(async () => {
    const opened = await openRepository(at.repository.directory)
    const { commonDir } = opened
    await told(() => listWorktrees(commonDir))
    await told(() => remotesWithCredentials(commonDir))
    await told(async () => (await prepareWorktree(opened, paths.worktrees, 'theirs')).rollBack())
    await told(async () => {
      const { path } = await prepareWorktree(opened, paths.worktrees, 'new')
      const checkout = await findCheckout(path)
      if (!checkout) throw new Error(`${path} is no worktree`)
      await checkoutNotes(placeOf(checkout))
      await containerGitEnvironment(placeOf(checkout))
      await Promise.all([at.touch(path), at.touch()])
      await unsavedWork(checkout)
      await prepareWorktree(await openRepository(path), paths.worktrees, 'new-again')
    })
    for (const force of [false, true]) await told(() => cleanWorktrees({ commonDir, engine, force, paths }))
  })
  return errors
}
