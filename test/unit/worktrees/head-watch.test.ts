// Which commit is checked out, as a real git says it: in a checkout and in a worktree, also where an agent has spoilt it.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HeadWatch } from '../../../src/worktrees/head-watch.js'

let base: string
let workspace: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'moat-head-'))
  workspace = join(base, 'workspace')
  mkdirSync(workspace)
  vi.stubEnv('MOAT_HOME', join(base, 'home'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(base, { force: true, recursive: true })
})

function git(args: string[], cwd = workspace): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  const identity = ['-c', 'user.name=Ann', '-c', 'user.email=ann@host.example']
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8', env, stdio: 'pipe' }).trim()
}

function commit(cwd = workspace): string {
  git(['commit', '--quiet', '--allow-empty', '--message', 'One more'], cwd)
  return git(['rev-parse', 'HEAD'], cwd)
}

test('each commit is noticed, from the first on, and so is another branch', async () => {
  const watch = new HeadWatch(workspace)
  expect(await watch.commit()).toBeUndefined()
  git(['init', '--quiet'])
  expect(await watch.commit()).toBeUndefined()
  const first = commit()
  expect(await watch.commit()).toBe(first)
  git(['pack-refs', '--all'])
  expect(await watch.commit()).toBe(first)
  git(['config', 'core.logAllRefUpdates', 'false'])
  const second = commit()
  expect(await watch.commit()).toBe(second)
  git(['checkout', '--quiet', '--detach', first])
  expect(await watch.commit()).toBe(first)
})

test('a worktree has a head of its own', async () => {
  git(['init', '--quiet'])
  commit()
  const other = join(base, 'other')
  git(['worktree', 'add', '--quiet', other, '-b', 'other'])
  const [main, linked] = [new HeadWatch(workspace), new HeadWatch(other)]
  const before = await linked.commit()
  const first = commit()
  expect([await main.commit(), await linked.commit()]).toEqual([first, before])
  const second = commit(other)
  expect([await main.commit(), await linked.commit()]).toEqual([first, second])
})

test('nothing of the repository is run, and what is broken has no commit until it is mended', async () => {
  git(['init', '--quiet'])
  const known = commit()
  const ran = join(base, 'ran')
  git(['config', 'core.fsmonitor', `touch ${ran}`])
  for (const hook of ['post-index-change', 'reference-transaction', 'post-checkout']) {
    writeFileSync(join(workspace, '.git/hooks', hook), `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 })
  }
  const watch = new HeadWatch(workspace)
  expect(await watch.commit()).toBe(known)
  renameSync(join(workspace, '.git/HEAD'), join(workspace, '.git/head'))
  execFileSync('mkfifo', [join(workspace, '.git/HEAD')])
  expect(await watch.commit()).toBeUndefined()
  renameSync(join(workspace, '.git/head'), join(workspace, '.git/HEAD'))
  expect(await watch.commit()).toBe(known)
  expect(existsSync(ran)).toBe(false)
})
