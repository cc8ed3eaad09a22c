// Owns what of a container's own config becomes the repository's: the upstreams of new branches, and nothing else. All of it was
// written by an agent. What an upstream may name is a remote the user has already, so nothing new is reached by it.
import { constants } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readWhole } from '../config/open-inside.js'
import { isBranchName } from './branch-name.js'
import { viewDirectory } from './container-view.js'
import { changeConfig } from './git.js'
import type { GitPlace } from './git-place.js'
import { type ConfigEntry, configEntries, mostBytes, parseConfig } from './repository-config.js'

interface Upstream {
  branch: string
  merge: string
  remote: string
}

/** More branches than an agent makes; each costs two calls of git. */
const mostUpstreams = 50

/** Gives the repository the upstreams that its containers have set for branches that have none; the branches. */
export async function carryUpstreams(place: GitPlace, home: string): Promise<string[]> {
  const own = viewDirectory(home, place.gitDir)
  const begun = join(own, 'config.start')
  const [start, end] = await Promise.all([readOwn(begun), readOwn(join(own, 'locks', 'config'))])
  if (!start || !end || start.equals(end)) return []
  const theirs = await parseConfig(end, 'config').catch(() => undefined)
  if (!theirs) return []
  const found = newUpstreams({ ours: await configEntries(place), start: await parseConfig(start, 'config'), theirs })
  const changes = found.flatMap(({ branch, merge, remote }) => [
    [`branch.${branch}.remote`, remote],
    [`branch.${branch}.merge`, merge],
  ])
  if (changes.length > 0) await changeConfig(place, changes)
  // Once: what its user takes away again stays away.
  await writeFile(begun, end)
  return found.map(({ branch }) => branch)
}

interface Configs {
  /** The repository's. */
  ours: readonly ConfigEntry[]
  /** What the container was given. */
  start: readonly ConfigEntry[]
  /** What has become of that. */
  theirs: readonly ConfigEntry[]
}

/** Exported for its test. */
export function newUpstreams({ ours, start, theirs }: Configs): Upstream[] {
  const known = [...ours, ...start]
  const last = (entries: readonly ConfigEntry[], key: string) => entries.findLast((entry) => entry.key === key)?.value
  const remotes = new Set(ours.flatMap(({ key }) => /^remote\.(.+)\.url$/s.exec(key)?.[1] ?? []))
  const branches = new Set(theirs.flatMap(({ key }) => /^branch\.(.+)\.remote$/s.exec(key)?.[1] ?? []))
  return [...branches]
    .filter((branch) => isBranchName(branch) && !known.some(({ key }) => key.startsWith(`branch.${branch}.`)))
    .flatMap((branch) => {
      const [merge = '', remote = ''] = ['merge', 'remote'].map((name) => last(theirs, `branch.${branch}.${name}`))
      const isKnown =
        remotes.has(remote) &&
        !remote.startsWith('-') &&
        merge.startsWith('refs/heads/') &&
        isBranchName(merge.slice(11))
      return isKnown ? [{ branch, merge, remote }] : []
    })
    .slice(0, mostUpstreams)
}

/** What an agent has left in place of it is not followed, nor waited for. */
async function readOwn(file: string): Promise<Buffer | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(file, flags).catch(() => undefined)
  try {
    return handle && (await readWhole(handle, mostBytes))
  } catch {
    return undefined
  } finally {
    await handle?.close()
  }
}
