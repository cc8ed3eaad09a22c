// The coding agent that somebody else's package brings: its command is there once the package is, for help, TAB and typing.
import { resolve } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { answer } from '../../../src/completion/answer.js'
import { Sandbox } from '../../helpers/sandbox.js'

const sandbox = new Sandbox()
afterAll(() => sandbox.cleanUp())

it('has its command as long as it is linked', async () => {
  const tab = (...words: string[]) => answer(['zsh', ...words], sandbox.env)
  const before = await sandbox.moat(['gemini', '-p', 'x'])
  expect(before).toMatchObject({ code: 2, stderr: expect.stringContaining('gemini is not a moat command.') })
  const linked = await sandbox.moat(['plugins', 'link', '--no-install', resolve('test/fixtures/plugin-gemini')])
  expect(linked, linked.stderr).toMatchObject({ code: 0 })
  const help = await sandbox.moat(['help'])
  for (const line of ['claude  ', 'codex  ', 'gemini  ', 'Run Gemini in a container'])
    expect(help.stdout).toContain(line)
  expect(help.stdout).not.toContain('coding-agent')
  expect((await sandbox.moat(['help', 'gemini'])).stdout).toContain('$ moat gemini [PATH] [-p <text>]')
  expect(await tab('gem')).toBe('words\ngemini\tRun Gemini in a container\n')
  expect(await tab('gemini', '--wor')).toContain('--worktree\t')
  const { code, stderr } = await sandbox.moat(['gemini', '-p', 'x'], { cwd: sandbox.directory('app') })
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('Gemini has no credential') })
  expect(stderr).toContain('moat grant gemini\n')
  expect(stderr).not.toContain('--login')
  const login = await sandbox.moat(['gemini', '--login'], { cwd: sandbox.directory('app') })
  expect(login.stderr).toContain('moat knows of no login of Gemini inside its container.')
})

it.each([
  [['claude'], 'moat claude needs a terminal on stdin and stdout; with -p it answers without one.'],
  [['claude', '-d'], '--detach only works together with --prompt.'],
  [['coding-agent', '-p', 'a'], 'No plugin says how coding-agent is run.'],
])('says what is wrong with %j', async (line, message) => {
  const { code, stderr, stdout } = await sandbox.moat(line)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(message)
})
