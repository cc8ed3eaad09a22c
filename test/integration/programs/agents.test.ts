// Claude Code and Codex as npm has them, run by their commands against what answers for the APIs of their models.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { findSecrets } from '../../helpers/find-secret.js'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { type StubAuthority, type StubHost, stubAuthority, stubHost } from '../../helpers/stub-hosts.js'
import { anthropicModel, type ModelQuestion, type ModelTurn, openaiModel } from '../../helpers/stub-model.js'
import { until } from '../../helpers/until.js'

const newToken = () => `tok-${randomBytes(20).toString('hex')}`
interface Case {
  grant: string
  header: string
  host: string
  /** Of the conversation. */
  id: RegExp
  name: string
  /** As each starts what goes on while it works. */
  serve: { input: Record<string, unknown>; name: string }
  settings: string[]
  token: string
  variable: string
  write: { input: Record<string, unknown>; name: string }
}

const cases: Case[] = [
  {
    grant: 'anthropic',
    header: 'X-Api-Key',
    host: 'claude.test',
    id: /session_id\\":\\"([0-9a-f-]{36})/,
    name: 'claude',
    serve: {
      input: { command: '(node server.js > /tmp/server.log 2>&1 &)', description: 'Start the server' },
      name: 'Bash',
    },
    settings: ['-e', 'ANTHROPIC_BASE_URL=https://claude.test', '-e', 'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1'],
    token: newToken(),
    variable: 'ANTHROPIC_API_KEY',
    write: { input: { content: 'made\n', file_path: '/workspace/made.txt' }, name: 'Write' },
  },
  {
    grant: 'openai',
    header: 'Authorization: Bearer {token}',
    host: 'codex.test',
    id: /"prompt_cache_key":"([0-9a-f-]{36})"/,
    name: 'codex',
    serve: { input: { cmd: 'node server.js', yield_time_ms: 250 }, name: 'exec_command' },
    settings: ['-e', 'OPENAI_BASE_URL=https://codex.test/v1'],
    token: newToken(),
    variable: 'OPENAI_API_KEY',
    write: { input: { cmd: 'echo made > made.txt' }, name: 'exec_command' },
  },
]

let sandbox: Sandbox
let authority: StubAuthority
let host: StubHost
/** What the models were asked, and what they say next. */
let asked: ModelQuestion[] = []
let turns: (ModelTurn | Promise<ModelTurn>)[] = []

beforeAll(async () => {
  sandbox = new Sandbox()
  authority = stubAuthority()
  const next = (question: ModelQuestion) => {
    asked.push(question)
    return turns.shift() ?? { text: 'All done.' }
  }
  const [claude, codex] = cases.map(({ token }, index) => [anthropicModel, openaiModel][index]?.({ next, token }))
  host = await stubHost(authority, ['claude.test', 'codex.test'], (request, response) => {
    const answer = String(request.headers[':authority'] ?? request.headers.host).startsWith('claude') ? claude : codex
    answer?.(request, response)
  })
  sandbox.env.MOAT_TEST_HOSTS = cases.map((one) => `${one.host}:443=127.0.0.1:${host.port}`).join()
  sandbox.env.SSL_CERT_FILE = authority.file
  // Nothing else gets out.
  mkdirSync(sandbox.home, { mode: 0o700, recursive: true })
  writeFileSync(join(sandbox.home, 'config.yaml'), 'network: {policy: strict}\n')
})
afterAll(async () => {
  await sandbox?.cleanUp()
  host?.close()
  if (authority) rmSync(dirname(authority.file), { force: true, recursive: true })
  const { Volumes } = await sandbox.docker.listVolumes({
    filters: { label: [`dev.moat.home=${sandbox.home}`] },
  } as object)
  for (const { Name } of Volumes ?? []) await sandbox.docker.getVolume(Name).remove()
})

/** A grant of the name that the agent looks for, for the host that answers here. */
async function grant({ grant: name, header, host: at, token, variable }: Case, profile: string): Promise<void> {
  const words = ['grant', `${name}-test`, '--host', at, '--header', header, '--variable', variable]
  const options = ['--profile', profile, '--stdin', '--no-check']
  const made = await sandbox.start([...words, ...options], { stdin: token }).exited
  expect(made, made.stderr).toMatchObject({ code: 0 })
  const renamed = await sandbox.moat(['grant', 'rename', `${name}-test`, name, '--profile', profile])
  expect(renamed, renamed.stderr).toMatchObject({ code: 0 })
}

/** All that was asked, from the last beginning on. */
const told = () => asked.map(({ text }) => text).join('\n')

describe.each(cases)('moat $name', (one) => {
  const { name, settings } = one
  let repository: GitRepository

  beforeAll(async () => {
    repository = new GitRepository(sandbox, `${name}-app`)
    // There is no moat.yaml.
    repository.git('rm', '--quiet', 'moat.yaml', 'text.txt')
    const script = "require('node:http').createServer((request, response) => response.end('served')).listen(3000)\n"
    writeFileSync(join(repository.directory, 'server.js'), script)
    const scripts = { start: 'node server.js' }
    writeFileSync(join(repository.directory, 'package.json'), JSON.stringify({ name: `${name}-app`, scripts }))
    repository.commit('A server')
  })

  it('says all ways to a credential where there is none, before anything is made', async () => {
    const { code, stderr } = await sandbox.moat([name, repository.directory, '-p', 'Make it so', ...settings])
    expect(code).toBe(2)
    expect(stderr).toContain(`moat grant ${one.grant}\n`)
    expect(stderr).toContain(`moat ${name} --login`)
    expect(await sandbox.containers()).toEqual([])
  })

  let id = ''

  it('comes from nothing to an answered prompt, with a file and a server', { timeout: 300_000 }, async () => {
    await grant(one, 'default')
    asked = []
    const held = Promise.withResolvers<ModelTurn>()
    turns = [{ text: 'I write it.', tools: [one.write] }, { tools: [one.serve] }, held.promise]
    const running = sandbox.start([name, repository.directory, '-p', 'Make it so', ...settings])
    void running.exited.then(() => held.resolve({}))
    await until('the third question', () => asked.length >= 3 || running.process.exitCode !== null, 280_000)
    expect(asked.length, running.stderr).toBe(3)

    const file = join(repository.directory, 'made.txt')
    expect(readFileSync(file, 'utf8')).toBe('made\n')
    expect(statSync(file).uid).toBe(process.getuid?.())
    const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
    const url = agents[0]?.endpoints[0]?.url ?? ''
    await until('its server', async () => (await sandbox.get(url)).body === 'served')

    const containers = await sandbox.containers()
    const [, place = ''] = /"(\/var\/lib\/\w+)"/.exec(JSON.stringify(containers[0]?.Mounts)) ?? []
    const archive = await sandbox.docker.getContainer(containers[0]?.Id ?? '').getArchive({ path: place })
    const pieces: Buffer[] = []
    for await (const piece of archive) pieces.push(Buffer.from(piece))
    expect(Buffer.concat(pieces).length).toBeGreaterThan(0)
    const kept = { place: Buffer.concat(pieces), told: told() }
    expect(await findSecrets([one.token], sandbox, kept)).toEqual([])

    // It knows where it is.
    expect(told()).toContain(url)
    expect(told()).toContain(`Only these hosts can be reached: \`${one.host} (some paths)\`.`)
    held.resolve({ text: 'All done.' })
    expect(await running.exited).toMatchObject({ code: 0, stdout: 'All done.\n' })
    expect(existsSync(join(repository.directory, 'moat.yaml'))).toBe(false)
    id = one.id.exec(told())?.[1] ?? ''
    expect(id).not.toBe('')
  })

  it('goes on with that conversation in another worktree', async () => {
    asked = []
    const options = ['--worktree', 'other', '-r', id, '-p', 'And then', ...settings]
    const outcome = await sandbox.moat([name, repository.directory, ...options])
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stdout: 'All done.\n' })
    expect(told()).toContain('Make it so')
    expect(told()).toContain('And then')
    expect(told()).toContain('on the branch `other`')
  })

  it.runIf(name === 'claude')('works in a clone, and is told so', async () => {
    asked = []
    const made = { content: 'in the clone\n', file_path: '/workspace/cloned.txt' }
    turns = [{ text: 'I write it.', tools: [{ input: made, name: 'Write' }] }]
    const options = ['--clone', '--name', 'cloned', '-p', 'Make it so', ...settings]
    const outcome = await sandbox.moat([name, repository.directory, ...options])
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stdout: 'All done.\n' })
    expect(told()).toContain('what you commit is fetched by `moat pull cloned`')
    expect(existsSync(join(repository.directory, 'cloned.txt'))).toBe(false)
  })

  // Once is enough: whose volumes are whose is moat's matter, not the program's.
  it.runIf(name === 'claude')('knows nothing of it under another profile', async () => {
    await grant(one, 'b')
    asked = []
    const outcome = await sandbox.moat([
      name,
      repository.directory,
      '--profile',
      'b',
      '-r',
      id,
      '-p',
      'And then',
      ...settings,
    ])
    expect(outcome.code, outcome.stdout).not.toBe(0)
    expect(told()).not.toContain('Make it so')
  })
})
