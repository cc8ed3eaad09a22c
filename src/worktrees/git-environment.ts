// Owns what git in the container is told by its environment: who commits, and what it must leave alone.
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { askGit } from './git.js'
import type { GitPlace } from './git-place.js'

/** What git accepts besides what it does anyway: the authority in this file, of servers at these URLs. */
export interface TrustedUrls {
  certificate: string
  urls: readonly string[]
}

/** `GIT_CONFIG_*` variables: they win over the repository's config, and lose against `git -c`. */
export async function containerGitEnvironment(
  place: GitPlace | undefined,
  { certificate, urls }: TrustedUrls = { certificate: '', urls: [] },
  more: readonly (readonly [key: string, value: string])[] = [],
): Promise<Record<string, string>> {
  const trusted = urls.map((url): [string, string] => [`http.${url}/.sslCAInfo`, certificate])
  const settings = [...(place ? await placeSettings(place) : []), ...trusted, ...more]
  if (settings.length === 0) return {}
  return {
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  }
}

async function placeSettings(place: GitPlace): Promise<[string, string][]> {
  const identity = await Promise.all(['user.name', 'user.email'].map(async (key) => [key, await setting(place, key)]))
  const submodules = await hasSubmodules(place)
  return [
    ...identity,
    // Engines on macOS may show files as another user's, and what the host calls safe is at other paths inside. There is nobody
    // else in the container whose repository could be met.
    ['safe.directory', '*'],
    // Cleaning up is the host's: from inside, other worktrees look deleted, and config is read-only.
    ['gc.auto', '0'],
    ['gc.worktreePruneExpire', 'never'],
    ['maintenance.auto', 'false'],
    // The key to sign with is not in the container.
    ['commit.gpgSign', 'false'],
    ['tag.gpgSign', 'false'],
    // Their repositories are not there, which git status would stop at.
    ['diff.ignoreSubmodules', submodules ? 'all' : undefined],
  ].filter((pair): pair is [string, string] => pair[1] !== undefined)
}

export async function hasSubmodules({ root }: GitPlace): Promise<boolean> {
  if (root === undefined) return false
  return access(join(root, '.gitmodules')).then(
    () => true,
    () => false,
  )
}

/** Of the checkout, because config can depend on where it is read. */
async function setting(place: GitPlace, key: string): Promise<string | undefined> {
  const { code, stdout } = await askGit(place, ['config', '--get', key])
  return code === 0 ? stdout.replace(/\n$/, '') : undefined
}
