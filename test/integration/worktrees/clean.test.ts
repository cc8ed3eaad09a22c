// Owns moat wt clean: what it removes, what it never removes, and what it says.
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CleanedWorktrees } from '../../../src/agents/clean-worktrees.js'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox
let repository: GitRepository

beforeEach(() => {
  sandbox = new Sandbox()
  repository = new GitRepository(sandbox, 'app', {
    '.gitignore': 'ignored/\n',
    'moat.yaml': 'name: app\ndependencies: [node@22]\ncommand: [node, --version]\n',
  })
})
afterEach(() => sandbox.cleanUp())

/** Runs the agent of a branch to its end; its worktree. */
async function worktree(branch: string): Promise<string> {
  const outcome = await sandbox.told(['wt', branch], { cwd: repository.directory })
  expect(outcome.code).toBe(0)
  return repository.worktrees().find((path) => path.endsWith(`/${branch}`)) ?? ''
}

const clean = (...args: string[]) =>
  sandbox.json<CleanedWorktrees>(['wt', 'clean', ...args], { cwd: repository.directory })

/** That one branch's worktree is kept, and why: with all others, and when it is asked for by name. */
async function keeps(branch: string, path: string, reason: string): Promise<void> {
  expect(await clean()).toEqual({ kept: [{ branch, reason, worktree: path }], removed: [] })
  expect(await sandbox.told(['wt', 'clean', branch], { cwd: repository.directory })).toEqual({
    code: 1,
    stderr: `Error: Nothing was removed: branch ${branch} ${reason}.

Try this:
  git -C ${path} status
  moat wt clean ${branch} --force
`,
    stdout: '',
  })
  expect(existsSync(path)).toBe(true)
}

it('keeps uncommitted work of every kind, unless forced', async () => {
  const path = await worktree('x')
  writeFileSync(join(path, 'new.txt'), '')
  await keeps('x', path, 'has 1 uncommitted change')
  repository.git('-C', path, 'add', '.')
  writeFileSync(join(path, 'text.txt'), 'changed')
  await keeps('x', path, 'has 2 uncommitted changes')
  // Settings of the user's that hide them do not count.
  repository.git('config', 'status.showUntrackedFiles', 'no')
  repository.git('-C', path, 'checkout', '--quiet', '--force', 'HEAD')
  repository.git('-C', path, 'clean', '--quiet', '--force')
  writeFileSync(join(path, 'new.txt'), '')
  await keeps('x', path, 'has 1 uncommitted change')
  expect(await clean('x', '--force')).toEqual({ kept: [], removed: [{ branch: 'x', worktree: path }] })
  expect(existsSync(path)).toBe(false)
  expect(repository.branches()).toEqual(['main', 'x'])
})

it('keeps commits that no remote has, or without remotes no other branch', async () => {
  const path = await worktree('x')
  repository.git('-C', path, 'commit', '--quiet', '--allow-empty', '--message', 'Work')
  await keeps('x', path, 'has 1 commit on no other branch')
  repository.git('branch', 'copy', 'x')
  repository.git('clone', '--quiet', '--bare', '.', sandbox.directory('remote.git'))
  repository.git('remote', 'add', 'origin', sandbox.directory('remote.git'))
  await keeps('x', path, 'has 2 commits not pushed')
  repository.git('fetch', '--quiet')
  expect((await clean()).removed).toEqual([{ branch: 'x', worktree: path }])
  expect(repository.branches()).toEqual(['copy', 'main', 'x'])
})

it('keeps an operation that is not finished, and commits of a detached HEAD that no branch has', async () => {
  const path = await worktree('x')
  writeFileSync(join(path, 'text.txt'), 'x')
  repository.commit('x', path)
  writeFileSync(join(repository.directory, 'text.txt'), 'main')
  repository.git('commit', '--quiet', '--allow-empty', '--all', '--message', 'main')
  writeFileSync(join(repository.directory, 'text.txt'), 'main 2')
  repository.git('commit', '--quiet', '--all', '--message', 'main 2')
  expect(() => repository.git('-C', path, 'rebase', 'main')).toThrow('could not apply')
  expect((await clean()).kept).toEqual([{ branch: 'x', reason: 'is in the middle of a rebase', worktree: path }])
  repository.git('-C', path, 'rebase', '--abort')
  repository.git('-C', path, 'switch', '--quiet', '--detach')
  repository.git('-C', path, 'commit', '--quiet', '--allow-empty', '--message', 'On no branch')
  expect((await clean()).kept).toEqual([{ branch: null, reason: 'has 1 commit on no branch', worktree: path }])
  repository.git('-C', path, 'branch', 'rescued')
  expect((await clean()).removed).toEqual([{ branch: null, worktree: path }])
})

it('keeps a locked worktree even if forced, and leaves stashes where they are', async () => {
  const path = await worktree('x')
  writeFileSync(join(path, 'text.txt'), 'stashed')
  repository.git('-C', path, 'stash', '--quiet')
  repository.git('worktree', 'lock', path)
  expect(await sandbox.told(['wt', 'clean', 'x', '--force'], { cwd: repository.directory })).toEqual({
    code: 1,
    stderr: `Error: Nothing was removed: branch x has a locked worktree.\n\nTry this:\n  git worktree unlock ${path}\n`,
    stdout: '',
  })
  repository.git('worktree', 'unlock', path)
  expect((await clean()).removed).toEqual([{ branch: 'x', worktree: path }])
  expect(repository.git('stash', 'list')).toMatch(/^stash@\{0\}: WIP on x: /)
})

it('keeps the worktree of an active run even if forced, and removes one whose run has ended', async () => {
  const args = ['wt', '-d', '--json', 'x', '--', 'sleep', 'infinity']
  const agent = JSON.parse((await sandbox.told(args, { cwd: repository.directory })).stdout)
  expect(await sandbox.told(['wt', 'clean', 'x', '--force'], { cwd: repository.directory })).toEqual({
    code: 1,
    stderr: 'Error: Nothing was removed: branch x has an active run, app-x.\n\nTry this:\n  moat stop app-x\n',
    stdout: '',
  })
  expect(existsSync(agent.workspace)).toBe(true)
  const [container] = await sandbox.containers()
  await sandbox.docker.getContainer(container?.Id ?? '').kill()
  expect((await clean()).removed).toEqual([{ branch: 'x', worktree: agent.workspace }])
})

it('goes on where a directory is gone, a branch has no commit, or a worktree is not to be trusted', async () => {
  const [gone, empty, forged] = [await worktree('gone'), await worktree('empty'), await worktree('forged')]
  await rm(gone, { recursive: true })
  repository.git('-C', empty, 'switch', '--quiet', '--orphan', 'unborn')
  writeFileSync(join(forged, '.git'), `gitdir: ${join(repository.directory, '.git/worktrees/empty')}\n`)
  const { kept, removed } = await clean('--force')
  expect(removed.map(({ branch }) => branch).toSorted()).toEqual(['gone', 'unborn'])
  expect(kept).toEqual([
    {
      branch: 'forged',
      reason: expect.stringContaining(
        `cannot be judged: ${forged} is a git worktree that its repository does not know: `,
      ),
      worktree: forged,
    },
  ])
})

it('takes ignored files along, leaves worktrees made by hand, and tidies up after itself', async () => {
  const hand = join(sandbox.directory('.'), 'hand')
  repository.git('worktree', 'add', '--quiet', '-b', 'hand', hand)
  const path = await worktree('deep/x')
  sandbox.directory(join('home', path.slice(sandbox.home.length + 1), 'ignored'), { 'file.txt': '' })
  const outcome = await sandbox.told(['wt', 'clean'], { cwd: repository.directory })
  expect(outcome).toEqual({ code: 0, stderr: '', stdout: `Removed ${path}; branch deep/x stays.\n` })
  expect(repository.worktrees()).toEqual([hand])
  expect(readdirSync(join(sandbox.home, 'worktrees'))).toEqual([])
  expect(readdirSync(join(sandbox.home, 'git')).filter((name) => !name.endsWith('.lock'))).toEqual([])
  expect((await sandbox.told(['wt', 'clean'], { cwd: repository.directory })).stdout).toBe('Nothing to remove.\n')
  expect(await sandbox.told(['wt', 'clean', 'nobody'], { cwd: repository.directory })).toEqual({
    code: 2,
    stderr: 'Error: Branch nobody has no worktree.\n\nTry this:\n  moat wt list\n',
    stdout: '',
  })
})

it('runs nothing that an agent left in the worktree', async () => {
  const path = await worktree('x')
  const trap = `#!/bin/sh\ntouch ${join(sandbox.directory('.'), 'pwned')}\n`
  // A repository within, registered as a submodule, whose config names a program for git status.
  repository.git('-C', path, 'init', '--quiet', 'sub')
  writeFileSync(join(path, 'trap.sh'), trap, { mode: 0o755 })
  repository.git('-C', join(path, 'sub'), 'commit', '--quiet', '--allow-empty', '--message', 'Sub')
  repository.commit('A submodule without .gitmodules', path)
  repository.git('-C', join(path, 'sub'), 'config', 'core.fsmonitor', join(path, 'trap.sh'))
  await keeps('x', path, 'has a submodule, sub, whose work moat does not look at')
  expect((await clean('--force')).removed).toHaveLength(1)
  expect(existsSync(join(sandbox.directory('.'), 'pwned'))).toBe(false)
})
