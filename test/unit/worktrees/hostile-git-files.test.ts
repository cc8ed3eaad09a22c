// Owns that files of git's which an agent has replaced make moat neither wait nor take another repository for a workspace's.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { planAgent } from '../../../src/agents/plan/plan-agent.js'
import { findCheckout } from '../../../src/worktrees/find-checkout.js'
import { mainCheckoutAt } from '../../../src/worktrees/main-checkout.js'
import { readConfigAt } from '../../../src/worktrees/read-git-file.js'
import { listWorktrees, openRepository } from '../../../src/worktrees/repository.js'
import { isAcknowledged } from '../../../src/worktrees/repository-config.js'

const noPlugins = { agentGone: async () => {}, endpointTypes: async () => [], registerEndpoints: async () => [] }
let directory: string
const git = (...args: string[]) => execFileSync('git', args, { cwd: directory, stdio: 'ignore' })
const at = (...parts: string[]) => join(directory, ...parts)

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'moat-hostile-')))
  vi.stubEnv('MOAT_HOME', at('home'))
  git('init', '--quiet', 'repository')
  git('-C', 'repository', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--allow-empty', '--message', 'x')
  git('-C', 'repository', 'worktree', 'add', '--quiet', at('tree'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { force: true, recursive: true })
})

function large(file: string, size: number): void {
  writeFileSync(file, '')
  truncateSync(file, size)
}

const head = () => at('repository/.git/worktrees/tree/HEAD')
it.each<[string, () => void]>([
  ['a pipe', () => execFileSync('mkfifo', [head()])],
  ['a link to what never ends', () => symlinkSync('/dev/zero', head())],
  ['a file of a gigabyte', () => large(head(), 2 ** 30)],
])('does not wait for %s as HEAD of a worktree', async (_, put) => {
  rmSync(head())
  put()
  await expect(findCheckout(at('tree'))).rejects.toMatchObject({ code: 'WORKTREE_BROKEN' })
})

it('does not have git wait for it either when worktrees are listed', async () => {
  rmSync(head())
  execFileSync('mkfifo', [head()])
  await expect(listWorktrees(at('repository/.git'))).rejects.toMatchObject({
    code: 'REPOSITORY_UNSAFE',
    suggestions: [`rm ${head()}`],
  })
})

it('takes a .git file that is too large for broken', async () => {
  mkdirSync(at('plain'))
  large(at('plain/.git'), 1.5 * 2 ** 30)
  expect(await findCheckout(at('plain'))).toBeUndefined()
  await expect(mainCheckoutAt(at('plain'))).rejects.toMatchObject({ code: 'REPOSITORY_UNSAFE' })
})

it('knows a repository elsewhere for that of a workspace only if it says so', async () => {
  mkdirSync(at('plain'))
  writeFileSync(at('plain/.git'), 'gitdir: ../repository/.git\n')
  const place = await mainCheckoutAt(at('plain'))
  expect(place && (await isAcknowledged(place))).toBe(false)
  writeFileSync(at('plain/moat.yaml'), 'name: plain\ncommand: [sleep, infinity]\n')
  const plan = () => planAgent({ env: {}, mounts: [], path: at('plain') }, noPlugins, 'localhost')
  expect((await plan()).powers).toMatchObject([{ name: '.git', own: false }])
  const suggestion = `git config --file ${at('repository/.git/config')} core.worktree ${at('plain')}`
  await expect(openRepository(at('plain'))).rejects.toMatchObject({
    code: 'REPOSITORY_UNSAFE',
    suggestions: [suggestion, `rm ${at('plain/.git')}`],
  })
  git('config', '--file', at('repository/.git/config'), 'core.worktree', at('plain'))
  expect(place && (await isAcknowledged(place))).toBe(true)
  await openRepository(at('plain'))
  expect((await plan()).powers).toEqual([])
})

it('reads a config at its own place only', () => {
  const config = at('repository/.git/config')
  expect(readConfigAt(config).text.toString()).toContain('[core]')
  symlinkSync(config, at('link'))
  symlinkSync(at('repository/.git'), at('moved'))
  expect(() => readConfigAt(at('link'))).toThrow('ELOOP')
  expect(() => readConfigAt(at('moved/config'))).toThrow('is not where it was')
})
