// Owns taking what a clone sends into a repository: into one of its own first, where git proves every object and that none is missing,
// and only then, as a pack that was proved, into the user's. Nothing of it is checked out, and no setting or hook comes along.
import { createReadStream } from 'node:fs'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { MoatError } from '../errors.js'
import { askGit, carefulSettings, gitFailed } from '../worktrees/git.js'
import { type GitPlace, repositoryAt } from '../worktrees/git-place.js'
import { assertNoLink } from '../worktrees/make-worktree.js'
import { makeOwnDirectory } from '../worktrees/own-directory.js'
import { allowedConfig } from '../worktrees/repository-config.js'
import { type GitOutcome, startGit } from '../worktrees/start-git.js'
import { agentText } from './agent-text.js'

/** Bytes that a clone may send at once. */
const mostBytes = 2 * 1024 * 1024 * 1024
/** To prove them. Milliseconds. */
const longest = 10 * 60_000
/** One allocation of git's: few bytes can stand for a great many. Files from a size on git does not hold in memory. */
const limits = { GIT_ALLOC_LIMIT: '1g' }
const proving = ['-c', 'core.bigFileThreshold=16m', 'index-pack', '--stdin', '--strict', '--fix-thin']

export interface Sent {
  pack: Readable
  /** Why not all of it was sent, as the end of a sentence; undefined where it was, or nobody knows. */
  problem: () => Promise<string | undefined>
}

/**
 * Adds the objects of `sent` to the repository, if they are sound and `tips` need nothing else than them and what is there. Throws
 * CLONE_REFUSED, and then has added nothing.
 */
export async function takeIn(place: GitPlace, sent: Sent, tips: readonly string[]): Promise<void> {
  await assertNoLink(join(place.commonDir, 'objects/pack'))
  const directory = await makeOwnDirectory('pull-')
  try {
    const quarantine = await initialize(place, directory)
    const proved = await askGit(quarantine, [...proving, `--max-input-size=${mostBytes}`], {
      env: limits,
      input: sent.pack,
      timeout: longest,
    })
    // Whatever comes after a whole pack is not read.
    sent.pack.destroy()
    if (proved.code !== 0) throw refused((await sent.problem()) ?? faultOf(proved))
    await assertComplete(quarantine, tips)
    await hand(place, directory)
  } finally {
    sent.pack.destroy()
    await rm(directory, { force: true, recursive: true })
  }
}

/** Bare, with what the repository has to be read, and nothing of its settings but how objects are named. */
async function initialize(place: GitPlace, directory: string): Promise<GitPlace> {
  const format = (await allowedConfig(place)).findLast(({ key }) => key === 'extensions.objectformat')?.value ?? 'sha1'
  const outcome = await startGit(
    [...carefulSettings, 'init', '--quiet', '--bare', '--template=', `--object-format=${format}`, directory],
    { directory, env: { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_DEFAULT_REF_FORMAT: 'files' } },
  )
  const quarantine = repositoryAt(directory)
  if (outcome.code !== 0) throw gitFailed(quarantine, outcome)
  await mkdir(join(directory, 'objects/info'), { recursive: true })
  await writeFile(join(directory, 'objects/info/alternates'), `${quoted(join(place.commonDir, 'objects'))}\n`)
  return quarantine
}

/** git takes a path in quotes as C has them. */
function quoted(path: string): string {
  return /["\n]/.test(path) ? `"${path.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"` : path
}

function faultOf({ code, stderr }: GitOutcome): string {
  const said = stderr
    .split('\n')
    .filter((line) => /^(error|fatal|warning): /.test(line))
    .slice(0, 3)
    .map((line) => line.replace(/^\w+: /, '').slice(0, 200))
  return `git finds fault with what it sent: ${said.join('; ') || `exit code ${code}`}`
}

/** A name may be that of an object that was not sent, and is not here. */
async function assertComplete(quarantine: GitPlace, tips: readonly string[]): Promise<void> {
  const args = ['cat-file', '--batch-check=%(objecttype) %(objectname)']
  const { code, stdout } = await askGit(quarantine, args, { input: lines(tips), timeout: longest })
  const found = new Set(stdout.split('\n'))
  if (code === 0 && tips.every((id) => found.has(`commit ${id}`))) return
  throw refused('not all that its branches name was sent')
}

async function hand(place: GitPlace, directory: string): Promise<void> {
  const packs = join(directory, 'objects/pack')
  for (const name of (await readdir(packs)).filter((file) => file.endsWith('.pack'))) {
    const input = createReadStream(join(packs, name))
    const outcome = await askGit(repositoryAt(place.commonDir), proving, { env: limits, input, timeout: longest })
    if (outcome.code !== 0) throw gitFailed(place, outcome)
  }
}

export function lines(ids: readonly string[]): Buffer {
  return Buffer.from(ids.map((id) => `${id}\n`).join(''))
}

function refused(reason: string): MoatError {
  return new MoatError('CLONE_REFUSED', `Nothing was taken from the clone: ${agentText(reason)}.`)
}
