// Completion as a person has it: a real bash and a real zsh in a terminal, with agents that run.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { packHelloPlugin } from '../../helpers/hello-plugin.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { ShellTerminal } from '../../helpers/terminal.js'

const run = promisify(execFile)
const sandbox = new Sandbox()
const project = sandbox.directory('project')
let runId = ''

beforeAll(async () => {
  const installed = await sandbox.moat(['plugins', 'install', await packHelloPlugin(sandbox.directory('plugin'))])
  expect(installed, installed.stderr).toMatchObject({ code: 0 })
  sandbox.directory('project/my app', { 'moat.yaml': '' })
  sandbox.directory('project', { 'myfile.txt': '' })
  for (const name of ['dark-mode', 'checkout']) {
    const outcome = await sandbox.moat(['run', '-d', sandbox.workspace(name, { api: 8080, web: 3000 })])
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 })
  }
  const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
  runId = agents.find(({ name }) => name === 'checkout')?.runId ?? ''
})

afterAll(() => sandbox.cleanUp())

describe.each(['bash', 'zsh'] as const)('in %s', (shell) => {
  let terminal: ShellTerminal

  beforeAll(async () => {
    const setUp = [`eval "$(moat autocomplete ${shell})"`]
    terminal = new ShellTerminal(shell, { cwd: project, env: sandbox.env, setUp })
    await terminal.shows(/^% *$/)
  })

  afterAll(() => terminal?.close())
  afterEach(() => terminal.clear())

  /** Types `line`, presses TAB, and waits for the line to become `completed`. */
  async function completes(line: string, completed: string): Promise<void> {
    await terminal.completes(line, new RegExp(`^% ${completed.replace(/[\\.$^]/g, '\\$&')}$`, 'm'), 'Tab')
  }

  it.each([
    ['moat sto', 'moat stop '],
    ['moat pro', 'moat proxy '],
    ['moat proxy stat', 'moat proxy status '],
    ['moat help proxy sto', 'moat help proxy stop '],
    ['cd . && LANG=C moat proxy stat', 'cd . && LANG=C moat proxy status '],
    ['moat run --det', 'moat run --detach '],
    ['moat deps info claude', 'moat deps info claude-code '],
    ['moat autocomplete z', 'moat autocomplete zsh '],
  ])('completes commands and flags: %s', completes)

  it.each([
    ['moat stop da', 'moat stop dark-mode '],
    ['moat stop "da', 'moat stop "dark-mode" '],
    ['moat stop --json da', 'moat stop --json dark-mode '],
    ['moat logs -f da', 'moat logs -f dark-mode '],
    ['moat exec da', 'moat exec dark-mode '],
    ['moat destroy che', 'moat destroy checkout '],
    ['moat wait dark-mode w', 'moat wait dark-mode web '],
    ['moat wait checkout a', 'moat wait checkout api '],
  ])('completes names of agents and endpoints: %s', completes)

  it('completes a run id', () => completes(`moat stop ${runId.slice(0, 12)}`, `moat stop ${runId} `))

  it('lists the agents there are', async () => {
    const screen = await terminal.completes('moat stop ', 'checkout', 'Tab', 'Tab')
    expect(screen).toContain('dark-mode')
  })

  it.each([
    ['moat run m', 'moat run my\\ app/'],
    // As readline does it for cd.
    ['moat run "my', shell === 'bash' ? 'moat run "my app"/' : 'moat run "my app/'],
    ['moat run --mount=./myf', 'moat run --mount=./myfile.txt '],
    ['moat run -d . -- cat myf', 'moat run -d . -- cat myfile.txt '],
  ])('completes paths: %s', completes)

  it.each([
    ['moat hel', /hello/],
    ['moat hello da', /^% moat hello dark-mode $/m],
    ['moat hello dark-mode we', /^% moat hello dark-mode web $/m],
    ['moat hello --tone=co', /^% moat hello --tone=cool $/m],
    ['moat hello --tone co', /^% moat hello --tone cool $/m],
    ['moat hello --tone=w', /^% moat hello --tone=warm$/m],
    ['moat hello --card=myf', /^% moat hello --card=myfile\.txt $/m],
    ['moat plugins inspect moat-', /^% moat plugins inspect moat-plugin-hello $/m],
  ])("completes a plugin's commands: %s", async (line, expected) => {
    await terminal.completes(line, expected, 'Tab', 'Tab')
  })
})

it('works in zsh as a file of its own, found by compinit', async () => {
  const functions = sandbox.directory('functions', { _moat: (await sandbox.moat(['autocomplete', 'zsh'])).stdout })
  const setUp = [`fpath=(${functions} $fpath)`, 'autoload -Uz compinit', 'compinit -u -D']
  const terminal = new ShellTerminal('zsh', { cwd: project, env: sandbox.env, setUp })
  try {
    await terminal.shows(/^% *$/)
    for (const [line, completed] of [
      ['moat proxy stat', 'moat proxy status '],
      ['moat stop da', 'moat stop dark-mode '],
    ] as const) {
      await terminal.completes(line, `% ${completed}`, 'Tab')
      await terminal.clear()
    }
  } finally {
    terminal.close()
  }
})

describe('without an engine', () => {
  const silent: Server[] = []

  afterEach(() => {
    for (const server of silent.splice(0)) server.close()
  })

  it.each(['bash', 'zsh'] as const)('says nothing in %s, and starts nothing', async (shell) => {
    const empty = new Sandbox()
    const env = { ...empty.env, DOCKER_HOST: `unix://${join(project, 'nothing.sock')}` }
    const terminal = new ShellTerminal(shell, {
      cwd: project,
      env,
      setUp: [`eval "$(moat autocomplete ${shell})"`],
    })
    try {
      await terminal.shows(/^% *$/)
      // What comes after shows that the shell has dealt with the TAB.
      await terminal.type('moat stop d', 'Tab')
      await terminal.type('x')
      expect((await terminal.shows(/x/)).trimEnd()).toBe('% moat stop dx')
      expect(await empty.processes()).toEqual({ caddys: [], doorkeepers: [], gates: [], supervisors: [] })
    } finally {
      terminal.close()
      await empty.cleanUp()
    }
  })

  it('does not wait for one that is hung', async () => {
    const path = join(sandbox.home, 'hung.sock')
    const server = createServer(() => {})
    silent.push(server)
    await new Promise<void>((resolve) => server.listen(path, resolve))
    const env = { DOCKER_HOST: `unix://${path}` }
    const outcome = await sandbox.moat(['__complete', 'bash', '=:', 'moat stop '], { env })
    expect(outcome).toEqual({ code: 0, stderr: '', stdout: 'words\n' })
  })
})

describe('the answer', () => {
  it.each(['moat proxy st', 'moat stop ', 'moat wait dark-mode ', 'moat hello '])(
    'takes no more than a few starts of Node: %s',
    async (line) => {
      const out = join(sandbox.home, 'answer')
      // The processor's time, which is not what other tests take meanwhile; the rest is the engine's few milliseconds.
      const cpu = async (...args: string[]) => {
        const time = 'TIMEFORMAT="%U %S"; { time "$@" >"$OUT"; } 2>&1'
        const words = ['-c', time, 'bash', process.execPath, ...args]
        const { stdout } = await run('bash', words, { env: { ...sandbox.env, OUT: out } })
        const [user = 0, system = 0] = stdout.trim().split(' ').map(Number)
        expect(user + system).toBeGreaterThan(0.01)
        return user + system
      }
      const start = await cpu('-e', '0')
      const took = await cpu(resolve('bin/run.js'), '__complete', 'bash', '=:', line)
      expect(readFileSync(out, 'utf8')).toMatch(/^words\n\S+\t/)
      // Some 0.3 s where Node takes 0.03; all that a command loads takes twice that.
      expect(took / start).toBeLessThan(10)
    },
  )
})
