// Owns grants as a person meets them: made, asked for by moat.yaml, and in the container as placeholders alone.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findSecrets } from '../../helpers/find-secret.js'
import { copyHelloPlugin } from '../../helpers/hello-plugin.js'
import { type Outcome, Sandbox } from '../../helpers/sandbox.js'
import { ShellTerminal } from '../../helpers/terminal.js'

let sandbox: Sandbox
beforeAll(() => {
  sandbox = new Sandbox()
})
afterAll(() => sandbox.cleanUp())

const token = () => `tok_${randomBytes(18).toString('hex')}`
const nobodys = { GH_TOKEN: '', GITHUB_TOKEN: '', NODE_AUTH_TOKEN: '', NPM_TOKEN: '', PATH: process.env.PATH }
const grant = (words: string[], value?: string) =>
  sandbox.start(['grant', ...words], { env: nobodys, ...(value !== undefined && { stdin: value }) }).exited
const app = (name: string, text: string) =>
  sandbox.directory(name, { 'moat.yaml': `name: ${name}\ndependencies: [node@22]\n${text}` })

async function stored(words: string[], value: string): Promise<Outcome> {
  const outcome = await grant([...words, '--stdin', '--no-check'], value)
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 })
  return outcome
}

it('starts nothing without a grant, and names each with its command', async () => {
  app('lacking', 'grants: [github, npm]\ncommand: [echo, ran]\n')
  const outcome = await sandbox.moat(['run', 'lacking', '--profile', 'work'])
  expect(outcome).toEqual({
    code: 2,
    stderr: `Error: There are no grants github@work, npm@work, so nothing was started.

Try this:
  moat grant github --profile work
  moat grant npm --profile work
`,
    stdout: '',
  })
  expect(await sandbox.containers()).toEqual([])
  // What moat.yaml may not have is not asked for either.
  const asked = await sandbox.moat(['run', 'lacking'], { asks: true })
  expect(asked.stderr).toMatch(/grants {2}github {2}\(lacking\/moat\.yaml:3:10\)\n.*grants {2}npm/)
})

it('the container has placeholders, and the value is nowhere', async () => {
  const [github, npm] = [token(), token()]
  const told = [await stored(['github'], github), await stored(['npm', '--scope', '@acme'], npm)]
  app('having', 'grants: [github]\ncommand: [sleep, "600"]\n')
  const run = await sandbox.moat(['run', '-d', 'having', '--grant', 'npm'])
  expect(run, run.stderr).toMatchObject({ code: 0 })
  const [container] = await sandbox.containers()
  expect(container?.Labels['dev.moat.grants']).toBe('github,npm')
  const script = 'env; cat $NPM_CONFIG_GLOBALCONFIG'
  const inside = await sandbox.inside('having', 'sh', '-c', script)
  for (const line of [
    /^GITHUB_TOKEN=ghp_\w{36}$/m,
    /^GH_TOKEN=ghp_\w{36}$/m,
    /^\/\/registry\.npmjs\.org\/:_authToken=npm_\w{36}$/m,
    /^@acme:registry=https:\/\/registry\.npmjs\.org\/$/m,
    /^GIT_CONFIG_VALUE_\d=git@github\.com:$/m,
  ])
    expect(inside.stdout).toMatch(line)
  const shown = await Promise.all(
    [['list'], ['show', 'github'], ['list', '--json'], ['show', 'npm', '--json']].map((words) => grant(words)),
  )
  const seen = { inside: JSON.stringify(inside), run: JSON.stringify(run), shown: JSON.stringify([shown, told]) }
  expect(await findSecrets([github, npm], sandbox, seen)).toEqual([])
  // The search finds what is there.
  expect(await findSecrets(['sleep'], sandbox)).not.toEqual([])
  await sandbox.json(['stop', 'having'])
})

it('secrets are read at the start, and the container has them as they are', async () => {
  const directory = app('revealing', 'command: [sh, -c, "echo $A-$B"]\nsecrets: {A: env://HOST_A, B: "file:///no"}\n')
  writeFileSync(join(directory, 'b'), 'from-file\n')
  const yaml = readFileSync(join(directory, 'moat.yaml'), 'utf8').replace('/no', join(directory, 'b'))
  writeFileSync(join(directory, 'moat.yaml'), yaml)
  const asked = await sandbox.moat(['run', 'revealing'], { asks: true })
  expect(asked.stderr).toMatch(/secrets\.A {2}env:\/\/HOST_A {2}\(.*:4:14\)/)
  expect((await sandbox.moat(['run', 'revealing'])).stderr).toContain('secrets.A of moat.yaml: HOST_A is not set here')
  const outcome = await sandbox.moat(['run', 'revealing'], { env: { HOST_A: 'from-env' } })
  expect([outcome.stdout, outcome.code]).toEqual(['from-env-from-file\n', 0])
})

describe('providers', () => {
  it('of a plugin and of the user are there beside moat’s own, and moat doctor looks at all grants', async () => {
    const plugin = copyHelloPlugin(sandbox.directory('plugins'))
    expect((await sandbox.moat(['plugins', 'link', '--no-install', plugin])).code).toBe(0)
    sandbox.directory('home/providers', {
      'mine.yaml': 'mine:\n  title: Mine\n  inject:\n    - {hosts: [api.mine.test], basic: me}\n',
    })
    const { providers } = await sandbox.json<{ providers: { name: string; origin: string }[] }>(['grant', 'providers'])
    const origins = new Map(providers.map(({ name, origin }) => [name, origin]))
    expect(origins.get('hello')).toBe('plugin moat-plugin-hello')
    expect(origins.get('mine')).toMatch(/providers\/mine\.yaml$/)
    expect(origins.get('github')).toBe('moat')
    await stored(['hello', '--profile', 'extra'], token())
    const doctor = await sandbox.moat(['doctor', '--json'])
    const { checks } = JSON.parse(doctor.stdout) as { checks: { check: string; message: string }[] }
    expect(checks.find(({ check }) => check === 'grant hello@extra')?.message).toMatch(/^It has a value/)
    await sandbox.moat(['plugins', 'unlink', 'moat-plugin-hello'])
  })
})

describe('on a terminal', () => {
  let terminal: ShellTerminal | undefined
  afterEach(() => terminal?.close())

  it('what is missing is asked for and typed unseen, then the run goes on', async () => {
    sandbox.directory('home/providers', {
      'asked.yaml': 'asked:\n  title: Asked\n  inject:\n    - {hosts: [api.asked.test], basic: me}\n',
    })
    app('asking', 'grants: [asked]\ncommand: [echo, "it ran"]\n')
    const env = { ...sandbox.env, ...nobodys }
    terminal = new ShellTerminal('bash', { cwd: sandbox.directory('.'), env, setUp: [] })
    const value = token()
    await terminal.type('moat run --yes asking; echo end-$?', 'Enter')
    await terminal.shows('There is no grant asked. Grant asked now? [Y/n]')
    await terminal.type('', 'Enter')
    await terminal.shows('Value for Asked (it is not shown):')
    await terminal.type(value, 'Enter')
    const screen = await terminal.shows('end-0')
    expect(screen).toContain('asked is granted.')
    expect(screen).toContain('it ran')
    expect(screen).not.toContain(value)
    expect(existsSync(join(sandbox.home, 'grants/default/asked.grant'))).toBe(true)
    expect(await findSecrets([value], sandbox)).toEqual([])
  })
})

it('a grant is revoked once, and told where it is', async () => {
  await stored(['openai', '--profile', 'work'], token())
  expect(await grant(['revoke', 'openai'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no grant openai. There is one in the profile work.'),
  })
  expect((await grant(['revoke', 'openai', '--profile', 'work'])).stdout).toMatch(/^openai is revoked\./)
  expect((await grant(['show', 'openai', '--profile', 'work'])).code).toBe(2)
})
