// Owns making a worktree by a git that is given moat's common directory: what it then writes for moat's is put right.
import { lstat, mkdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { changeConfig, git, gitFailed, withView } from './git.js'
import { type GitPlace, unsafe } from './git-place.js'
import { allowedConfig, configText } from './repository-config.js'
import { startGit } from './start-git.js'

/** Has `branch` follow `from`, by git's own rules for which remote and which branch that is. */
export async function trackBranch(place: GitPlace, branch: string, from: string): Promise<void> {
  await withView(place, async (ask, view) => {
    const outcome = await ask(['branch', '--quiet', `--set-upstream-to=${from}`, '--', branch])
    if (outcome.code !== 0) throw gitFailed(place, outcome)
    // In the config that is thrown away.
    const listed = await startGit(['config', '--file', join(view, 'config'), '--null', '--list'], { directory: view })
    const entries = listed.stdout.split('\0').map((item) => item.split(/\n(.*)/s))
    const set = entries.filter(([key]) => key?.startsWith(`branch.${branch}.`))
    if (set.length > 0)
      await changeConfig(
        place,
        set.map(([key = '', value = '']) => [key, value]),
      )
  })
}

/** Makes the worktree of a branch there is, with its files. */
export async function makeWorktree(
  place: GitPlace,
  { branch, path, stale }: { branch: string; path: string; stale: boolean },
): Promise<void> {
  const { commonDir } = place
  for (const name of ['logs', 'worktrees']) await ensureOwnDirectory(join(commonDir, name))
  await git(place, [
    ...['worktree', 'add', '--quiet', '--no-checkout'],
    ...(stale ? ['--force'] : []),
    ...['--', path, branch],
  ])
  const root = await realpath(path)
  const gitFile = join(root, '.git')
  const id = /\/worktrees\/([^/\n]+)\n*$/.exec(await readFile(gitFile, 'utf8'))?.[1] ?? ''
  const adminDir = join(commonDir, 'worktrees', id)
  // git wrote where the repository seemed to be.
  await writeFile(gitFile, `gitdir: ${adminDir}\n`)
  await keepSparse(place, adminDir)
  await git({ commonDir, gitDir: adminDir, root }, ['reset', '--quiet', '--hard', '--no-recurse-submodules'])
}

/** A sparse checkout's worktrees are sparse; git keeps that in the config of each, and would copy all of it. */
async function keepSparse(place: GitPlace, adminDir: string): Promise<void> {
  const ofAll = await allowedConfig({ commonDir: place.commonDir, gitDir: adminDir })
  const ofThis = await allowedConfig(place)
  const sparse = ofThis.slice(ofAll.length).filter(({ key }) => key.startsWith('core.sparsecheckout'))
  if (sparse.length > 0) await writeFile(join(adminDir, 'config.worktree'), configText(sparse), { flag: 'wx' })
}

/** An agent can put links below refs and logs: git would write a branch, or the line of its log, to any place of the host. */
export async function assertNoLinks({ commonDir }: GitPlace, branch: string): Promise<void> {
  for (const top of ['packed-refs', `refs/heads/${branch}`, `logs/refs/heads/${branch}`]) {
    let path = commonDir
    for (const part of top.split('/')) {
      path = join(path, part)
      await assertNoLink(path)
    }
  }
}

async function ensureOwnDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true })
  await assertNoLink(path)
}

/** Throws REPOSITORY_UNSAFE. */
export async function assertNoLink(path: string): Promise<void> {
  if (!(await lstat(path).catch(() => undefined))?.isSymbolicLink()) return
  throw unsafe(`${path} is a symbolic link, so git would write to where it leads.`, [`ls -l ${shellQuote(path)}`])
}
