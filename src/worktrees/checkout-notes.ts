// Owns what a person is told of a checkout before an agent is given it.
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { gitCommand } from './git.js'
import { hasSubmodules } from './git-environment.js'
import type { GitPlace } from './git-place.js'
import { innerNotes } from './inner-repositories.js'
import { programNotes } from './program-notes.js'
import { remotesWithCredentials } from './repository.js'

export async function checkoutNotes(place: GitPlace): Promise<string[]> {
  const { commonDir } = place
  const gitThere = gitCommand(place)
  const remotes = await remotesWithCredentials(commonDir)
  const borrows = await access(join(commonDir, 'objects/info/alternates')).then(
    () => true,
    () => false,
  )
  return [
    ...(await Promise.all([programNotes(place), innerNotes(place)])).flat(),
    ...remotes.map(
      (name) =>
        `The URL of the remote ${name} contains credentials, which the agent can read. Move them to a credential helper: ${gitThere} remote set-url ${shellQuote(name)} <URL without them>`,
    ),
    // Not mounted: an agent can write that file, and would choose what of the host its next container is given.
    ...(borrows
      ? [
          `This repository borrows objects from another one, so git does not find them inside the container. To have its own: ${gitThere} repack -a -d && rm ${shellQuote(join(commonDir, 'objects/info/alternates'))}`,
        ]
      : []),
    ...((await hasSubmodules(place))
      ? [
          `This repository has submodules. git cannot work in them inside the container; to have their files there: ${gitThere} submodule update --init`,
        ]
      : []),
  ]
}
