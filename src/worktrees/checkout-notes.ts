// Owns what a person is told of a worktree before an agent is given it.
import { shellQuote } from '../config/shell-quote.js'
import type { LinkedCheckout } from './find-checkout.js'
import { hasSubmodules } from './git-environment.js'
import { remotesWithCredentials } from './repository.js'

export async function checkoutNotes({ commonDir, root }: LinkedCheckout): Promise<string[]> {
  const remotes = await remotesWithCredentials(commonDir)
  return [
    ...remotes.map(
      (name) =>
        `The URL of the remote ${name} contains credentials, which the agent can read. Move them to a credential helper: git -C ${shellQuote(root)} remote set-url ${shellQuote(name)} <URL without them>`,
    ),
    ...((await hasSubmodules(root))
      ? [
          `This repository has submodules. git cannot work in them inside the container; to have their files there: git -C ${shellQuote(root)} submodule update --init`,
        ]
      : []),
  ]
}
