// Owns approvals as a person meets them: what is asked, once, before anything is started; by moat approve too.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { ShellTerminal } from '../../helpers/terminal.js'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const harmless = 'name: app\ndependencies: [node@22]\n'
const workspace = (extra: string, command = '[echo, "it ran"]') =>
  sandbox.directory('app', { 'moat.yaml': `${harmless}command: ${command}\n${extra}` })
const run = (...args: string[]) => sandbox.told(args, { asks: true })

describe('without a terminal', () => {
  it('a project that stays in its box is never asked about', async () => {
    workspace('mounts: ["./:/again:ro"]\nenv: {A: b}\ncontainer: {memory: 512}\n')
    const outcome = await run('run', 'app')
    expect([outcome.code, outcome.stdout]).toEqual([0, 'it ran\n'])
    expect(existsSync(join(sandbox.home, 'approvals'))).toBe(false)
  })

  it('names what is asked for and starts nothing, until moat approve has allowed it', async () => {
    workspace('hooks: {pre_run: "echo \\"from \\e[31ma hook\\""}\n')
    const refused = await run('run', 'app')
    expect(refused).toEqual({
      code: 2,
      stderr: `Error: app/moat.yaml asks for what reaches beyond its container:
    hooks.pre_run  echo "from \\u{1b}[31ma hook"  (app/moat.yaml:4:18)
Nothing was started.

Try this:
  moat approve app
  moat run --yes app
`,
      stdout: '',
    })
    expect(await sandbox.containers()).toEqual([])
    expect((await run('approve', 'app')).code).toBe(2)
    expect((await run('approve', '--yes', 'app')).stdout).toMatch(/hooks\.pre_run .*\nAllowed\.\n$/)
    const outcome = await run('run', 'app')
    expect([outcome.code, outcome.stdout]).toEqual([0, 'from \u001b[31ma hook\nit ran\n'])

    const file = join(sandbox.directory('app'), 'moat.yaml')
    writeFileSync(file, `${readFileSync(file, 'utf8')}container: {dns: [192.0.2.1]}\n`)
    const grown = await run('run', 'app')
    expect([grown.code, grown.stderr]).toEqual([2, expect.stringMatching(/asks for more than you have allowed it:\n/)])
    expect(grown.stderr).toContain('container.dns  192.0.2.1  (app/moat.yaml:5:19)')
    expect(grown.stderr).not.toContain('pre_run')
  })

  it('run --yes answers the question and is remembered; revoking takes it back', async () => {
    const path = workspace('hooks: {pre_run: "true"}\n')
    expect((await run('run', '--yes', 'app')).code).toBe(0)
    expect((await run('run', 'app')).code).toBe(0)
    const { approvals } = await sandbox.json<{ approvals: { path: string; powers: object[] }[] }>(['approve', '--list'])
    expect(approvals).toEqual([
      { path, powers: [{ ...approvals[0]?.powers[0], name: 'hooks.pre_run', value: 'true' }] },
    ])
    expect(await sandbox.json(['approve', '--revoke', 'app'])).toEqual({ path, revoked: true })
    expect((await run('run', 'app')).code).toBe(2)
  })

  it('a record that is not what moat wrote is an error that names it', async () => {
    workspace('hooks: {pre_run: "true"}\n')
    await run('approve', '--yes', 'app')
    const directory = join(sandbox.home, 'approvals')
    const file = join(directory, readdirSync(directory)[0] ?? '')
    writeFileSync(file, '{}')
    const outcome = await run('run', 'app')
    expect([outcome.code, outcome.stderr]).toEqual([1, expect.stringContaining(file)])
    expect((await run('run', '--yes', 'app')).code).toBe(1)
  })

  it('what config.yaml forbids is refused to moat.yaml and to a flag, whoever says yes', async () => {
    const secret = sandbox.directory('secret/deep')
    workspace(`mounts: ["${secret}:/secret:ro"]\n`)
    mkdirSync(sandbox.home, { recursive: true })
    writeFileSync(join(sandbox.home, 'config.yaml'), `never: {mounts: ["${join(secret, '..')}"]}\n`)
    const outcome = await run('run', '--yes', 'app')
    expect([outcome.code, outcome.stderr]).toEqual([2, expect.stringContaining(`${secret}:/secret:ro`)])
    sandbox.directory('plain', { 'moat.yaml': `${harmless}command: [ls, /secret]\n` })
    const flag = await run('run', '--mount', `${secret}:/secret`, 'plain')
    expect([flag.code, flag.stderr]).toEqual([2, expect.stringContaining(`--mount  ${secret}:/secret:rw`)])
    const config = `approvals: {mounts: ["${join(secret, '..')}:ro"]}\n`
    writeFileSync(join(sandbox.home, 'config.yaml'), config)
    expect((await run('run', 'app')).code).toBe(0)
    // A flag is the user's own word.
    expect((await run('run', '--mount', `${secret}:/secret`, 'plain')).code).toBe(0)
  })

  it('a link that leads out of the workspace is named by where it leads', async () => {
    const secret = sandbox.directory('secret', { key: 'the key' })
    const path = workspace('mounts: ["./data:/data"]\n', '[cat, /data/key]')
    symlinkSync('../secret', join(path, 'data'))
    const outcome = await run('run', 'app')
    expect([outcome.code, outcome.stderr]).toEqual([2, expect.stringContaining(`${secret}:/data:rw`)])
  })
})

it('moat approve of an agent that runs does not mind that its port is in use', async () => {
  workspace('ports: {db: {type: tcp, port: 5432, host_port: 20999}}\n', '[sleep, "60"]')
  expect((await run('run', '--yes', '-d', 'app')).code).toBe(0)
  expect((await run('approve', 'app')).stdout).toContain('asks for nothing that is not allowed')
})

it('on a terminal the first run asks, a later one only about what is new, and no means no', async () => {
  const path = workspace('hooks: {pre_run: "echo hooked"}\n')
  const terminal = new ShellTerminal('bash', { cwd: join(path, '..'), env: sandbox.env, setUp: [] })
  try {
    await terminal.shows(/^% *$/)
    await terminal.type('moat run app; echo "exit $?"', 'Enter')
    await terminal.shows('Allow this? [y/N]')
    await terminal.type('', 'Enter')
    await terminal.shows(/^exit 2$/m)
    await terminal.clear()
    await terminal.type('moat run app; echo "exit $?"', 'Enter')
    await terminal.shows('Allow this? [y/N]')
    await terminal.type('y', 'Enter')
    expect(await terminal.shows(/^exit 0$/m)).toMatch(/^hooked\nit ran$/m)
    await terminal.clear()
    workspace('hooks: {pre_run: "echo otherwise"}\n')
    await terminal.type('moat run app; echo "exit $?"', 'Enter')
    const screen = await terminal.shows('Allow this? [y/N]')
    expect(screen).toMatch(
      /- hooks\.pre_run {2}echo hooked\n {2}\+ hooks\.pre_run {2}echo otherwise {2}\(app\/moat\.yaml:4:18\)/,
    )
    await terminal.type('y', 'Enter')
    await terminal.shows(/^exit 0$/m)
  } finally {
    terminal.close()
  }
})

it('the plan that was allowed is the plan that runs, whatever moat.yaml says by then', async () => {
  const path = workspace('hooks: {pre_run: "echo allowed"}\n')
  const terminal = new ShellTerminal('bash', { cwd: join(path, '..'), env: sandbox.env, setUp: [] })
  try {
    await terminal.shows(/^% *$/)
    await terminal.type('moat run app; echo "exit $?"', 'Enter')
    await terminal.shows('Allow this? [y/N]')
    workspace('hooks: {pre_run: "echo swapped"}\n')
    await terminal.type('y', 'Enter')
    const screen = await terminal.shows(/^exit 0$/m)
    expect(screen).toMatch(/^allowed\nit ran$/m)
    expect(screen).not.toContain('swapped')
  } finally {
    terminal.close()
  }
})

it("a worktree that moat made has its repository's approvals, and gives it its own", async () => {
  const yaml = `${harmless}hooks: {pre_run: "true"}\ncommand: [echo, "it ran"]\n`
  const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': yaml })
  const wt = (...args: string[]) => sandbox.told(['wt', ...args], { asks: true, cwd: repository.directory })
  const refused = await wt('one')
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('moat wt --yes one')])
  expect(repository.worktrees()).toEqual([])
  expect((await wt('--yes', 'one')).code).toBe(0)
  expect((await wt('two')).code).toBe(0)
  const run = (...args: string[]) => sandbox.told(args, { asks: true, cwd: repository.directory })
  expect((await run('run')).code).toBe(0)
  const [one = ''] = repository.worktrees()
  expect((await run('run', one)).code).toBe(0)
  writeFileSync(join(one, 'moat.yaml'), yaml.replace('"true"', '"echo more"'))
  expect((await wt('one')).code).toBe(2)
})
