// Owns that nothing of its user's own goes from a repository, whatever an agent has left in it.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { gitMounts } from '../../../src/agents/container/container-git.js'
import { viewDirectory } from '../../../src/worktrees/container-view.js'
import { beginCheckout, settleCheckout } from '../../../src/worktrees/settle-checkout.js'
import { shareMainCheckout } from '../../../src/worktrees/share-main-checkout.js'
import { caught } from '../config/caught.js'
import { temporaryDirectory } from '../config/temp-directory.js'

let home: string
let root: string
let git: string
let place: { commonDir: string; gitDir: string; root: string }

beforeEach(async () => {
  const directory = await temporaryDirectory()
  home = join(directory, 'home')
  root = join(directory, 'app')
  git = join(root, '.git')
  place = { commonDir: git, gitDir: git, root }
  vi.stubEnv('MOAT_HOME', home)
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  ask('init', '--quiet', '--initial-branch=main', root)
  ask('-C', root, 'remote', 'add', 'origin', 'https://host.example/x')
})

const ask = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
const begin = (runId: string, ...live: string[]) => beginCheckout(place, home, runId, new Set(live))
const end = (runId: string) => settleCheckout(root, home, runId)
const isLink = (name: string) => lstatSync(join(git, name), { throwIfNoEntry: false })?.isSymbolicLink() ?? false
const config = () => readFileSync(join(git, 'config'), 'utf8')

/** As `mv` and `ln -s` to a larger disk. */
function moveAway(name: string): string {
  const target = join(root, '..', name.replaceAll('/', '-'))
  renameSync(join(git, name), target)
  symlinkSync(target, join(git, name))
  return target
}

it('removes nothing where no agent has been', async () => {
  mkdirSync(join(git, 'logs/refs'), { recursive: true })
  for (const name of ['objects', 'refs', 'logs']) moveAway(name)
  symlinkSync('/elsewhere', join(git, 'ORIG_HEAD'))
  expect(await end('a')).toEqual([])
  expect(['objects', 'refs', 'logs', 'ORIG_HEAD'].map(isLink)).toEqual([true, true, true, true])
})

it.each(['objects', 'refs', 'logs', 'logs/refs', 'packed-refs', 'index'])(
  'refuses a start with a link for %s, and leaves it, after runs too',
  async (name) => {
    mkdirSync(join(git, 'logs/refs'), { recursive: true })
    for (const file of ['packed-refs', 'index']) writeFileSync(join(git, file), '')
    await begin('unseen')
    symlinkSync('/elsewhere', join(git, 'ORIG_HEAD'))
    const target = moveAway(name)
    const path = join(git, name)
    const run = {
      engine: { listAgents: async () => ({ agents: [], unreadable: [], unsealed: [] }) },
      note: () => {},
      paths: { home },
      runId: 'b',
    }
    expect(await caught(() => gitMounts({ mainCheckout: place }, run))).toMatchObject({
      code: 'REPOSITORY_UNSAFE',
      message: `${path} is a symbolic link to ${target}, so the repository is not given to an agent: its git would write there.`,
    })
    expect(await end('b')).toEqual([])
    expect(readlinkSync(path)).toBe(target)
    expect(isLink('ORIG_HEAD')).toBe(true)
  },
)

it('removes what was not there before the run, or led elsewhere, and says where it led', async () => {
  mkdirSync(join(git, 'objects/pack'), { recursive: true })
  mkdirSync(join(git, 'svn'))
  for (const name of ['objects/pack/p.pack', 'MINE', 'CHANGED']) symlinkSync('/big/disk', join(git, name))
  await begin('a')
  for (const name of ['MERGE_MSG', 'refs/heads/x', 'svn/held']) symlinkSync('/etc/motd', join(git, name))
  execFileSync('ln', ['-sfn', '/etc/motd', join(git, 'CHANGED')])
  const said = await end('a')
  expect(said).toEqual([
    `Removed symbolic links among git's files, which were not there before the agent, and your git would have written through: ${git}/CHANGED -> /etc/motd, ${git}/MERGE_MSG -> /etc/motd, ${git}/refs/heads/x -> /etc/motd`,
  ])
  expect(['objects/pack/p.pack', 'MINE', 'svn/held'].map(isLink)).toEqual([true, true, true])
  expect(readFileSync(join(viewDirectory(home, git), 'links.removed'), 'utf8')).toContain(
    `${git}/MERGE_MSG /etc/motd\n`,
  )
  // The run is over: what its user makes now is the user's.
  symlinkSync('/big/disk', join(git, 'LATER'))
  expect([...(await end('a')), ...(await begin('b'))]).toEqual([])
  expect(isLink('LATER')).toBe(true)
})

it('takes no link of a running agent, or one whose end was not seen, for its user’s at the next start', async () => {
  await begin('a')
  symlinkSync('/etc/motd', join(git, 'MERGE_MSG'))
  expect(await begin('b', 'a')).toHaveLength(1)
  expect(isLink('MERGE_MSG')).toBe(false)
  symlinkSync('/etc/motd', join(git, 'logs'))
  expect(await end('b')).toHaveLength(1)
  expect(isLink('logs')).toBe(false)
  symlinkSync('/etc/motd', join(git, 'FETCH_HEAD'))
  expect(await end('a')).toHaveLength(1)
  expect(isLink('FETCH_HEAD')).toBe(false)
})

it('judges, in a worktree, by what was there before its own run, and refuses a repository whose files are elsewhere', async () => {
  ask('-C', root, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--allow-empty', '-m', 'x')
  const tree = join(root, '../tree')
  ask('-C', root, 'worktree', 'add', '--quiet', tree)
  const gitDir = join(git, 'worktrees/tree')
  const other = { commonDir: git, gitDir, root: tree }
  symlinkSync('/big/disk', join(gitDir, 'MINE'))
  await begin('main')
  symlinkSync('/etc/motd', join(git, 'refs/heads/mains'))
  await beginCheckout(other, home, 'tree', new Set(['main']))
  expect(isLink('refs/heads/mains')).toBe(false)
  for (const name of ['refs/heads/x', 'worktrees/tree/FETCH_HEAD', 'MERGE_MSG'])
    symlinkSync('/etc/motd', join(git, name))
  expect(await settleCheckout(tree, home, 'tree')).toEqual([expect.stringContaining('refs/heads/x -> /etc/motd')])
  expect(['refs/heads/x', 'worktrees/tree/FETCH_HEAD', 'worktrees/tree/MINE', 'MERGE_MSG'].map(isLink)).toEqual([
    ...[false, false],
    ...[true, true],
  ])
  expect(await end('main')).toHaveLength(1)
  moveAway('objects')
  expect(await caught(() => beginCheckout(other, home, 'again', new Set()))).toMatchObject({
    code: 'REPOSITORY_UNSAFE',
  })
  expect(isLink('objects')).toBe(true)
})

/** A run whose agent has set an upstream. */
async function run(runId: string, text = '[branch "x"]\n\tremote = origin\n\tmerge = refs/heads/x\n'): Promise<void> {
  await begin(runId)
  await shareMainCheckout(place, home)
  writeFileSync(join(viewDirectory(home, git), 'locks/config'), `${config()}${text}`)
}

it('says which links are gone also where the config is one that git does not carry from', async () => {
  await run('a')
  writeFileSync(join(git, 'config.lock'), '')
  symlinkSync('/etc/motd', join(git, 'MERGE_MSG'))
  expect(await end('a')).toEqual([expect.stringContaining('MERGE_MSG')])
  expect(config()).not.toContain('branch "x"')
})

it('carries an upstream once: what its user has taken away since stays away', async () => {
  await run('a')
  await end('a')
  expect(config()).toContain('[branch "x"]\n\tremote = origin\n\tmerge = refs/heads/x\n')
  ask('-C', root, 'config', '--remove-section', 'branch.x')
  await begin('b')
  expect(config()).not.toContain('branch "x"')
})

it('empties no directory that an agent has put where it can write, and starts all the same', async () => {
  await run('a')
  const locks = join(viewDirectory(home, git), 'locks')
  const inner = join(locks, 'config.lock', 'inner')
  mkdirSync(inner, { recursive: true })
  writeFileSync(join(inner, 'file'), 'mine')
  await shareMainCheckout(place, home)
  expect(existsSync(join(locks, 'config.lock'))).toBe(false)
  const files = readdirSync(viewDirectory(home, git), { recursive: true, encoding: 'utf8' })
  expect(files).toContainEqual(expect.stringMatching(/^aside-[^/]+\/inner\/file$/))
})
