// What fingers know from other tools, and several agents at once.
import { afterAll, describe, expect, it } from 'vitest'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'

const sandbox = new Sandbox()
afterAll(() => sandbox.cleanUp())

const run = (name: string) => sandbox.moat(['run', '-d', sandbox.workspace(name)])

describe('habits', () => {
  it.each([['ls'], ['ps'], ['ps', '-a'], ['list', '--all']])('moat %s %s lists agents', async (...words) => {
    expect(await sandbox.moat(words)).toMatchObject({ code: 0, stderr: expect.stringContaining('No agents.') })
  })

  it.each([['-h'], ['run', '-h'], ['proxy', 'start', '-h']])('moat %s %s %s is help', async (...words) => {
    const outcome = await sandbox.moat(words)
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(outcome.stdout).toContain('USAGE')
  })

  it('moat -v is the version', async () => {
    const { stdout } = await sandbox.moat(['--version'])
    expect(await sandbox.moat(['-v'])).toEqual({ code: 0, stderr: '', stdout })
  })

  it('a pipe on stdin is no argument', async () => {
    const outcome = await sandbox.start(['init'], { cwd: sandbox.directory('piped'), stdin: 'elsewhere\n' }).exited
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('Wrote moat.yaml.') })
    expect((await sandbox.start(['stop'], { stdin: 'x\n' }).exited).stderr).toContain('moat stop needs')
  })

  it('TAB completes branches after moat wt', async () => {
    const repository = new GitRepository(sandbox)
    repository.git('branch', 'feature/auth')
    const complete = (...words: string[]) =>
      sandbox.moat(['__complete', 'zsh', ...words], { cwd: repository.directory })
    expect((await complete('wt', 'fea')).stdout).toBe('words\nfeature/auth\t\n')
    expect((await complete('run', '--worktree', 'fea')).stdout).toBe('words\nfeature/auth\t\n')
  })
})

describe('several agents', () => {
  it('are waited for, stopped and destroyed together, and a near name is suggested', async () => {
    await Promise.all(['alpha', 'beta'].map(run))
    const { answered } = await sandbox.json<{ answered: { agent: string; status: number }[] }>([
      'wait',
      'alpha',
      'beta',
    ])
    expect(answered.map(({ agent, status }) => [agent, status])).toEqual([
      ['alpha', 200],
      ['beta', 200],
    ])
    const mistyped = await sandbox.moat(['stop', 'alhpa'])
    expect(mistyped.stderr).toContain('Did you mean alpha?\n\nTry this:\n  moat stop alpha\n  moat list\n')
    expect((await sandbox.moat(['logs', '-n', '3', 'bet'])).stderr).toContain('Try this:\n  moat logs -n 3 beta\n')
    expect(await sandbox.moat(['stop', '--all', 'alpha'])).toMatchObject({ code: 2 })
    expect((await sandbox.moat(['stop', '--all'])).stdout).toMatch(/^Stopped \w+ \(run_\w+\)\.\nStopped \w+ /)
    expect(await sandbox.containers()).toEqual([])
    await Promise.all(['alpha', 'beta'].map(run))
    expect(await sandbox.moat(['destroy', '--all'])).toMatchObject({ code: 2 })
    const { agents } = await sandbox.json<{ agents: { name: string }[] }>(['rm', '-f', 'alpha', 'beta'])
    expect(agents.map(({ name }) => name)).toEqual(['alpha', 'beta'])
    expect(await sandbox.containers()).toEqual([])
  })
})
