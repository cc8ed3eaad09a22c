// Owns which settings of a repository's config its user has said are theirs, though a guard would put them back, and saying so. By their
// very words, as approvals are, and where no container can write.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { replaceFileNow } from '../config/replace-file.js'
import { viewDirectory } from '../worktrees/container-view.js'
import { changeConfig } from '../worktrees/git.js'
import type { GitPlace } from '../worktrees/git-place.js'
import { readConfigAt } from '../worktrees/read-git-file.js'
import { type ConfigEntry, configEntries, parseConfig } from '../worktrees/repository-config.js'
import { suspectEntries } from './judge-config.js'

const schema = z.array(z.strictObject({ key: z.string(), value: z.exactOptional(z.string()) }))

/** None where there is no list, or none that moat has written. */
export function readAllowed(place: GitPlace, home: string): ConfigEntry[] {
  try {
    return schema.parse(JSON.parse(readFileSync(fileOf(place, home), 'utf8')))
  } catch {
    return []
  }
}

/** Where a guard keeps what it has put back. */
export function refusedFile({ gitDir }: GitPlace, home: string, name: string): string {
  return join(viewDirectory(home, gitDir), `${name}.refused`)
}

/** What a guard has put back last, and is not in the config by now. */
export async function refusedSettings(place: GitPlace, home: string): Promise<ConfigEntry[]> {
  const file = refusedFile(place, home, 'config')
  const text = await Promise.resolve()
    .then(() => readConfigAt(file).text)
    .catch(() => undefined)
  const refused = text && (await parseConfig(text, file).catch(() => undefined))
  return refused ? suspectEntries(await configEntries(place), refused) : []
}

/** Lets these be, and sets them again: what a guard that is at work now finds in the config is allowed by then. */
export async function allowSettings(place: GitPlace, home: string, settings: readonly ConfigEntry[]): Promise<void> {
  const known = readAllowed(place, home)
  const added = settings.filter((one) => !known.some(({ key, value }) => key === one.key && value === one.value))
  replaceFileNow(fileOf(place, home), JSON.stringify([...known, ...added]), 0o600)
  await changeConfig(
    place,
    settings.map(({ key, value = 'true' }) => ['--', key, value]),
  )
  rmSync(refusedFile(place, home, 'config'), { force: true })
}

/** False when there were none. */
export function forgetAllowed(place: GitPlace, home: string): boolean {
  const file = fileOf(place, home)
  if (!existsSync(file)) return false
  rmSync(file)
  return true
}

function fileOf({ gitDir }: GitPlace, home: string): string {
  return join(viewDirectory(home, gitDir), 'config.allowed')
}
