// Owns calling git on the host for a repository an agent may have worked in: git runs no program that the repository names.
//
// git takes config, hooks and attributes from its "common directory", so it is given one that moat makes: a config of what is
// allowed, no hooks, no attributes, and links to objects, refs and the rest. It is made for each call, from one reading of the
// config, so that nothing an agent writes meanwhile is heeded. docs/decisions/0024 has the reasons.
import { constants } from 'node:fs'
import { mkdir, open, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readWhole } from '../config/open-inside.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError } from '../errors.js'
import type { GitPlace } from './git-place.js'
import { lockConfig } from './lock-config.js'
import { makeOwnDirectory } from './own-directory.js'
import { allowedConfig, configText, mostBytes } from './repository-config.js'
import { type GitOutcome, type GitStart, startGit } from './start-git.js'

/** What git may read and write of the repository's own. */
const linked = [
  'HEAD',
  'info/exclude',
  'lfs',
  'logs',
  'objects',
  'packed-refs',
  'refs',
  'reftable',
  'shallow',
  'worktrees',
]

/** Over the user's own settings too: a relative path in them is the repository's. */
export const carefulSettings: readonly string[] = [
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'gc.auto=0',
  'maintenance.auto=false',
  'protocol.allow=never',
  'submodule.recurse=false',
  // Would need an extension set in the repository's config.
  'worktree.useRelativePaths=false',
].flatMap((setting) => ['-c', setting])

export type GitCall = Pick<GitStart, 'encoding' | 'env' | 'input' | 'timeout'>
export type Ask = (args: readonly string[], call?: GitCall) => Promise<GitOutcome>

/** Runs git in a place; resolves whatever its exit code is. Throws REPOSITORY_UNSAFE. */
export function askGit(place: GitPlace, args: readonly string[], call?: GitCall): Promise<GitOutcome> {
  return withView(place, (ask) => ask(args, call))
}

/** Runs git in a place; its output without the last line end. Throws GIT_FAILED with git's own words, REPOSITORY_UNSAFE. */
export async function git(place: GitPlace, args: readonly string[], call?: GitCall): Promise<string> {
  const outcome = await askGit(place, args, call)
  if (outcome.code === 0) return outcome.stdout.replace(/\n$/, '')
  throw gitFailed(place, outcome)
}

export function gitFailed({ commonDir, root }: GitPlace, { code, stderr }: GitOutcome): MoatError {
  const said = stderr.trim() || `exit code ${code}`
  return new MoatError('GIT_FAILED', `git failed in ${root ?? commonDir}: ${said}`)
}

/** Calls git any number of times with one common directory; what it writes to `view`/config is gone afterwards. */
export async function withView<T>(place: GitPlace, action: (ask: Ask, view: string) => Promise<T>): Promise<T> {
  const { commonDir, gitDir, root } = place
  const text = configText(await allowedConfig(place))
  const view = await makeOwnDirectory('host-')
  try {
    await writeFile(join(view, 'config'), text)
    await mkdir(join(view, 'info'))
    await Promise.all(linked.map((name) => symlink(join(commonDir, name), join(view, name))))
    const env = { GIT_COMMON_DIR: view, GIT_DIR: gitDir, ...(root !== undefined && { GIT_WORK_TREE: root }) }
    return await action(
      (args, call = {}) =>
        startGit([...carefulSettings, ...args], {
          ...call,
          directory: root ?? commonDir,
          env: { ...env, ...call.env },
        }),
      view,
    )
  } finally {
    await rm(view, { force: true, recursive: true })
  }
}

/**
 * Changes the repository's own config by calls of `git config`, all of them or none, under git's lock, but in place: git would replace
 * the file, and on Linux that ends the mounts by which containers are kept from writing it.
 */
export async function changeConfig(place: GitPlace, changes: readonly (readonly string[])[]): Promise<void> {
  const file = join(place.commonDir, 'config')
  const own = await makeOwnDirectory('config-')
  const release = await lockConfig(file).catch(async (error: unknown) => {
    await rm(own, { recursive: true })
    throw error
  })
  try {
    const copy = join(own, 'config')
    // A link that an agent has put there is not followed, and what was opened is what is written.
    const handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      await writeFile(copy, await readWhole(handle, mostBytes))
      const env = { GIT_DIR: '/nonexistent' }
      for (const args of changes) {
        const outcome = await startGit(['config', '--file', copy, ...args], { directory: own, env })
        if (outcome.code !== 0) throw gitFailed(place, outcome)
      }
      const text = await readFile(copy)
      // In one write, over the end of a longer one too: whoever is killed before the next line leaves a config that says the same.
      const padding = Buffer.alloc(Math.max(0, (await handle.stat()).size - text.length), '\n')
      const whole = Buffer.concat([text, padding])
      await handle.write(whole, 0, whole.length, 0)
      await handle.truncate(text.length)
    } finally {
      await handle.close()
    }
  } finally {
    await rm(own, { force: true, recursive: true })
    await release()
  }
}

/** For what a person is to run in a place. */
export function gitCommand({ commonDir, root }: GitPlace): string {
  return `git -C ${shellQuote(root ?? commonDir)}`
}
