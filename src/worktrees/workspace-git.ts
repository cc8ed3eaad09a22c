// Owns what a workspace's repository says of its files to who looks through them without git: what is ignored everywhere, and what is
// tracked although it is ignored. An agent may have written all of it.
import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { openInside, readWhole } from '../config/open-inside.js'
import { rawName } from '../config/raw-name.js'
import { findCheckout, placeOf } from './find-checkout.js'
import { askGit } from './git.js'
import { findMainCheckout, type GitPlace } from './git-place.js'
import { IgnoreRules } from './ignore-rules.js'
import { startGit } from './start-git.js'

export interface WorkspaceGit {
  /** Undefined where there is no repository, or one that moat leaves alone. */
  place?: GitPlace
  /** Those above the workspace's own. Paths are relative to it. */
  rules: IgnoreRules
  /** Raw paths in the workspace that git has in its index. */
  tracked: ReadonlySet<string>
}

/** Bytes of a file with patterns. */
const mostBytes = 1024 * 1024
/** Whatever else is there: what package managers bring is no work of anybody's. A repository's own rules come later, and win. */
const usual = 'node_modules/\n'

/** `workspace` is a real path. Nothing that is wrong with its repository is an error here. */
export async function workspaceGit(workspace: string): Promise<WorkspaceGit> {
  const [place, ofUser] = await Promise.all([placeAt(workspace), usersPatterns()])
  const root = place?.root
  const own = place ? await readPatterns(join(place.commonDir, 'info/exclude')) : ''
  if (!place || root === undefined) return { rules: IgnoreRules.of(usual, ofUser, own), tracked: new Set() }
  const prefix = workspace === root ? '' : `${rawName(relative(root, workspace))}/`
  let rules = IgnoreRules.of(usual, ofUser, own)
  if (prefix !== '')
    for (const [directory, text] of await outerFiles(root, workspace)) rules = rules.within(directory, text)
  return { place, rules: rules.below(prefix), tracked: await trackedFiles(place, prefix) }
}

export async function placeAt(workspace: string): Promise<GitPlace | undefined> {
  try {
    const linked = await findCheckout(workspace)
    return linked ? placeOf(linked) : await findMainCheckout(workspace)
  } catch {
    return undefined
  }
}

const asked = new Map<string, Promise<string>>()

/** Those of the user's own settings, wherever they are. Asked once: they are not for an agent to change. */
function usersPatterns(): Promise<string> {
  const key = JSON.stringify([process.env.GIT_CONFIG_GLOBAL, process.env.XDG_CONFIG_HOME, process.env.HOME])
  const known = asked.get(key) ?? readUsersPatterns()
  asked.set(key, known)
  return known
}

async function readUsersPatterns(): Promise<string> {
  const args = ['config', '--get', '--type=path', 'core.excludesFile']
  const outcome = await startGit(args, { directory: '/', env: { GIT_DIR: '/nonexistent' } })
  const usualFile = join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'git/ignore')
  return readPatterns(outcome.code === 0 ? outcome.stdout.replace(/\n$/, '') : usualFile)
}

async function readPatterns(file: string): Promise<string> {
  const real = await realpath(dirname(file)).catch(() => undefined)
  const handle = real && (await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined))
  if (!handle) return ''
  try {
    return (await readWhole(handle, mostBytes)).toString('latin1')
  } catch {
    return ''
  } finally {
    await handle.close()
  }
}

/** Of the directories from the top of the checkout to above the workspace. */
async function outerFiles(root: string, workspace: string): Promise<[directory: string, text: string][]> {
  const parts = relative(root, workspace).split(sep)
  const directories = parts.map((_, index) => parts.slice(0, index).join('/'))
  return Promise.all(
    directories.map(async (directory): Promise<[string, string]> => {
      const handle = await openInside(root, join(directory, '.gitignore')).catch(() => undefined)
      const read = handle && (await readWhole(handle, mostBytes).catch(() => undefined))
      await handle?.close()
      return [rawName(directory), read?.toString('latin1') ?? '']
    }),
  )
}

async function trackedFiles(place: GitPlace, prefix: string): Promise<ReadonlySet<string>> {
  try {
    const { code, stdout } = await askGit(place, ['ls-files', '--cached', '-z'])
    if (code !== 0) return new Set()
    const paths = stdout.split('\0').slice(0, -1).map(rawName)
    return new Set(paths.flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : [])))
  } catch {
    return new Set()
  }
}
