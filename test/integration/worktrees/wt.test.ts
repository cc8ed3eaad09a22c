// Owns moat wt as a person uses it: branches side by side, each with its worktree, its agent and its URL.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { WorktreeView } from '../../../src/agents/list-worktrees.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = new Sandbox()
  await sandbox.json(['proxy', 'start'])
})
afterEach(() => sandbox.renew())
afterAll(() => sandbox.cleanUp())

const start = (repository: GitRepository, ...args: string[]) =>
  sandbox.json<AgentView>(args, { cwd: repository.directory })

const list = async (repository: GitRepository) =>
  (await sandbox.json<{ worktrees: WorktreeView[] }>(['wt', 'list'], { cwd: repository.directory })).worktrees

/** The first answer of an agent that has come up. */
const answer = ({ endpoints }: AgentView) =>
  until('an answer', async () => {
    const { body, status } = await sandbox.get(endpoints[0]?.url ?? '')
    return status === 200 && body
  })

describe('moat wt', () => {
  it('runs two branches side by side, each with its own files and its own URL', async () => {
    const ignored = { '.gitignore': '.env\nlocal.txt\nother.txt\n', '.worktreeinclude': '.env\n' }
    const repository = new GitRepository(sandbox, 'my app', ignored)
    for (const name of ['.env', 'local.txt', 'other.txt']) writeFileSync(join(repository.directory, name), name)
    repository.git('remote', 'add', 'origin', 'https://ann:s3cret@git.example.com:8443/group/ann/app.git')
    const one = await start(repository, 'wt', '-d', 'feature/auth')
    const two = await start(repository, 'wt', '-d', 'dark-mode', '--include', 'local.txt')
    const base = join(sandbox.home, 'worktrees/git.example.com/group/ann/app')
    expect([one.workspace, two.workspace]).toEqual([join(base, 'feature/auth'), join(base, 'dark-mode')])
    expect(one.name).toMatch(/^app-feature-auth-[0-9a-f]{6}$/)
    expect(two.name).toBe('app-dark-mode')
    expect(one.endpoints[0]?.url).toContain(`https://web.${one.name}.localhost:`)
    expect(await answer(one)).toBe('main')

    const brought = ({ workspace }: AgentView) =>
      ['.env', 'local.txt', 'other.txt'].filter((name) => existsSync(join(workspace, name)))
    expect([brought(one), brought(two)]).toEqual([['.env'], ['.env', 'local.txt']])
    writeFileSync(join(one.workspace, 'text.txt'), 'auth')
    expect([await answer(one), await answer(two)]).toEqual(['auth', 'main'])
    expect(readFileSync(join(repository.directory, 'text.txt'), 'utf8')).toBe('main')
    expect(repository.branches()).toEqual(['dark-mode', 'feature/auth', 'main'])

    const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
    expect(agents.map(({ branch, repository }) => [branch, repository])).toEqual([
      ['feature/auth', 'git.example.com/group/ann/app'],
      ['dark-mode', 'git.example.com/group/ann/app'],
    ])
    const table = (await sandbox.moat(['list'])).stdout
    expect(table).toMatch(/^NAME +RUN ID +STATE +AGE +ENDPOINTS +BRANCH\n/)
    expect(table).toMatch(/web:3000 +feature\/auth$/m)
    expect(await list(repository)).toEqual([
      { branch: 'dark-mode', runs: [run(two)], worktree: two.workspace },
      { branch: 'feature/auth', runs: [run(one)], worktree: one.workspace },
    ])
    const everything = JSON.stringify([await sandbox.containers(), table, await list(repository)])
    expect(everything).not.toContain('s3cret')

    await sandbox.json(['stop', one.name])
    await sandbox.json(['stop', two.name])
    const cleaned = await sandbox.moat(['wt', 'clean', '--force'], { cwd: repository.directory })
    expect(cleaned.stdout).toBe(
      `Removed ${two.workspace}; branch dark-mode stays.\nRemoved ${one.workspace}; branch feature/auth stays.\n`,
    )
    expect(repository.branches()).toEqual(['dark-mode', 'feature/auth', 'main'])
    expect(repository.worktrees()).toEqual([])
    expect(existsSync(join(sandbox.home, 'worktrees/git.example.com'))).toBe(false)
  })

  it('uses the worktree again once its run has ended, and says how to follow or stop an active one', async () => {
    const repository = new GitRepository(sandbox)
    const first = await start(repository, 'wt', '-d', 'x')
    for (const args of [
      ['wt', 'x'],
      ['wt', '--name', 'other', 'x'],
      ['run', '--worktree', 'x'],
    ]) {
      expect(await sandbox.moat(args, { cwd: repository.directory })).toEqual({
        code: 1,
        stderr: `Error: Branch x has an active run, app-x (${first.runId}).

Try this:
  moat logs -f app-x
  moat stop app-x
`,
        stdout: '',
      })
    }
    expect(existsSync(first.workspace)).toBe(true)
    await sandbox.json(['stop', 'app-x'])
    writeFileSync(join(first.workspace, 'text.txt'), 'kept')
    const second = await start(repository, 'wt', '-d', 'x')
    expect([second.name, second.workspace]).toEqual([first.name, first.workspace])
    expect(await answer(second)).toBe('kept')
  })

  it('gives one of many the branch when they ask at the same time, and takes nothing from it', async () => {
    const repository = new GitRepository(sandbox)
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => sandbox.moat(['wt', '-d', 'x'], { cwd: repository.directory })),
    )
    const [worktree] = await list(repository)
    expect(outcomes.map(({ code }) => code).toSorted()).toEqual([0, 1, 1, 1, 1])
    for (const { code, stderr } of outcomes) {
      if (code !== 0) expect(stderr).toContain(`Branch x has an active run, app-x (${worktree?.runs[0]?.runId}).`)
    }
    expect(existsSync(join(worktree?.worktree ?? '', 'text.txt'))).toBe(true)
  })

  it("takes the worktree's own moat.yaml, else that of the checkout, with paths of the worktree", async () => {
    const repository = new GitRepository(sandbox)
    repository.git('branch', 'without')
    const own = await start(repository, 'wt', '-d', 'own')
    await sandbox.json(['stop', own.name])
    const yaml = readFileSync(join(own.workspace, 'moat.yaml'), 'utf8')
    writeFileSync(join(own.workspace, 'moat.yaml'), yaml.replace('name: app', 'name: renamed'))
    expect((await start(repository, 'wt', '-d', 'own')).name).toBe('renamed-own')

    repository.git('rm', '--quiet', '--cached', 'moat.yaml')
    writeFileSync(join(repository.directory, '.gitignore'), 'moat.yaml\n')
    repository.commit('Without moat.yaml')
    writeFileSync(join(repository.directory, 'moat.yaml'), `${yaml}mounts: ["./text.txt:/mounted.txt"]\n`)
    const other = await start(repository, 'wt', '-d', 'other')
    writeFileSync(join(other.workspace, 'text.txt'), 'of the worktree')
    expect((await sandbox.inside(other.name, 'cat', '/mounted.txt')).stdout).toBe('of the worktree')
  })

  it('runs another command, under another name, with variables', async () => {
    const repository = new GitRepository(sandbox)
    const args = ['wt', 'x', '--name', 'mine', '-e', 'A=1', '--', 'sh', '-c', 'echo $MOAT_RUN_NAME $A; exit 3']
    const outcome = await sandbox.moat(args, { cwd: repository.directory })
    expect([outcome.code, outcome.stdout]).toEqual([
      3,
      'https://web.mine.localhost:8080  → mine container:3000\nmine 1\n'.replace(
        '8080',
        outcome.stdout.match(/:(\d+) /)?.[1] ?? '',
      ),
    ])
    expect(outcome.stderr).toContain('New branch x from main (')
  })

  it('follows the branch of a remote there is', async () => {
    const repository = new GitRepository(sandbox)
    repository.git('branch', 'theirs')
    repository.git('clone', '--quiet', '--bare', '.', sandbox.directory('remote.git'))
    repository.git('branch', '-D', 'theirs')
    repository.git('remote', 'add', 'origin', `file://${sandbox.directory('remote.git')}`)
    repository.git('fetch', '--quiet')
    await start(repository, 'wt', '-d', 'theirs')
    expect(repository.git('rev-parse', '--symbolic-full-name', 'theirs@{upstream}')).toBe('refs/remotes/origin/theirs')
  })

  it('takes origin/x for x, which follows it, and a branch of that very name for itself', async () => {
    const repository = new GitRepository(sandbox)
    const clone = sandbox.directory('clone')
    repository.git('branch', 'fix/login')
    repository.git('clone', '--quiet', '.', clone)
    const branchOf = async (...args: string[]) => {
      const outcome = await sandbox.json<AgentView>(['wt', '-d', ...args], { cwd: clone })
      await sandbox.json(['stop', outcome.name])
      return outcome.branch
    }
    expect(await branchOf('origin/fix/login')).toBe('fix/login')
    expect(repository.git('-C', clone, 'rev-parse', '--abbrev-ref', 'fix/login@{upstream}')).toBe('origin/fix/login')
    expect(await branchOf('fix/login')).toBe('fix/login')
    expect((await sandbox.moat(['wt', 'clean', 'origin/fix/login'], { cwd: clone })).stdout).toContain('Removed ')
    repository.git('-C', clone, 'branch', 'origin/odd')
    expect(await branchOf('origin/odd')).toBe('origin/odd')
  })

  it('puts worktrees where MOAT_WORKTREE_BASE says', async () => {
    const repository = new GitRepository(sandbox)
    const base = sandbox.directory('trees')
    const outcome = await sandbox.moat(['wt', '-d', 'x', '--json'], {
      cwd: repository.directory,
      env: { MOAT_WORKTREE_BASE: base },
    })
    expect(JSON.parse(outcome.stdout).workspace).toMatch(new RegExp(`^${base}/_local/app-[0-9a-f]{8}/x$`))
  })
})

describe('moat run', () => {
  it('in a worktree made by hand is named after the branch, and git works there', async () => {
    const repository = new GitRepository(sandbox, 'app', {
      'moat.yaml': 'dependencies: [node@22, git]\nports: {web: 3000}\ncommand: [node, server.js]\n',
    })
    const hand = join(sandbox.directory('.'), 'by hand')
    repository.git('worktree', 'add', '--quiet', '-b', 'Fix_UI', hand)
    const agent = await start(repository, 'run', '-d', hand)
    expect(agent.name).toMatch(/^fix-ui-[0-9a-f]{6}$/)
    expect(agent.branch).toBe('Fix_UI')
    const log = ['exec', agent.name, '--', 'git', 'log', '--format=%an %s']
    expect((await sandbox.moat(log)).stdout).toBe('Ann Host First commit\n')
    expect(await list(repository)).toEqual([{ branch: 'Fix_UI', runs: [run(agent)], worktree: hand }])
    // Without naming it: the agent of this directory.
    const other = await start(repository, 'wt', '-d', 'other')
    expect((await sandbox.moat(['logs', '-n', '0'], { cwd: hand })).code).toBe(0)
    expect(other.name).toBe('other')
    await sandbox.json(['stop', agent.name])
    expect(await sandbox.moat(['wt', 'clean', 'Fix_UI'], { cwd: repository.directory })).toEqual({
      code: 2,
      stderr: `Error: The worktree of branch Fix_UI, ${hand}, was not made by moat.\n\nTry this:\n  git worktree remove '${hand}'\n`,
      stdout: '',
    })
  })

  it('with --worktree runs a branch of any name, and the same directory of the repository', async () => {
    const repository = new GitRepository(sandbox)
    const service = sandbox.directory('app/service', {
      'moat.yaml': 'name: service\ndependencies: [node@22]\ncommand: [cat, here.txt]\n',
      'here.txt': 'service',
    })
    repository.commit('A service')
    const outcome = await sandbox.moat(['run', '--worktree', 'list', service])
    expect([outcome.code, outcome.stdout]).toEqual([0, 'service'])
    expect(outcome.stderr).toContain('Starting service-list\n')
    expect(repository.branches()).toEqual(['list', 'main'])
  })

  it('in the main checkout and in a worktree without a branch takes the name of moat.yaml', async () => {
    const repository = new GitRepository(sandbox)
    repository.git('worktree', 'add', '--quiet', '--detach', sandbox.directory('detached'))
    expect((await start(repository, 'run', '-d', '.')).name).toBe('app')
    await sandbox.json(['stop', 'app'])
    const detached = await start(repository, 'run', '-d', sandbox.directory('detached'))
    expect([detached.name, detached.branch, detached.repository]).toEqual([
      'app',
      undefined,
      expect.stringMatching(/^_local/),
    ])
  })
})

function run({ name, runId, state }: AgentView) {
  return { name, runId, state }
}
