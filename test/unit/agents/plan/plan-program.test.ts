// What the command of a coding agent changes of a run's plan, with a moat.yaml and without one.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { planAgent, type RunRequest } from '../../../../src/agents/plan/plan-agent.js'
import type { ProgramRequest } from '../../../../src/agents/plan/plan-program.js'
import { http, registerHttp } from '../../../../src/endpoints/http.js'
import type { EndpointPlugins } from '../../../../src/endpoints/plugin-hooks.js'
import { agentProgram } from '../../../helpers/agent-programs.js'
import { temporaryDirectory } from '../../config/temp-directory.js'

const claude = await agentProgram('claude')
const plugins: EndpointPlugins = {
  agentGone: async () => {},
  endpointTypes: async () => [{ plugin: 'moat-cli', result: [http] }],
  registerEndpoints: async ({ endpoints, literal }) => {
    const result = await Promise.all(endpoints.map((one) => registerHttp(one as never, literal)))
    return [{ plugin: 'moat-cli', result }]
  },
}
let path: string
beforeEach(async () => {
  path = await temporaryDirectory()
})

function plan(given: Partial<ProgramRequest> = {}, request: Partial<RunRequest> = {}) {
  const start = { continue: false, print: false, yolo: true }
  const program = {
    home: '/h/.moat',
    imports: false,
    login: false,
    profile: 'default',
    program: claude,
    start,
    there: [],
    ...given,
  }
  return planAgent({ env: {}, mounts: [], path, program, ...request }, plugins, 'localhost')
}
const write = (text: string) => writeFile(join(path, 'moat.yaml'), text)

it('runs the program in the place of the command, which it is told, with what it needs', async () => {
  await write(
    'dependencies: [node@20, claude-code@2.1.0, jq]\ncommand: [npm, start]\nenv: {A: b, DISABLE_AUTOUPDATER: "0"}\n',
  )
  const planned = await plan({ there: ['anthropic'] }, { env: { A: 'c' } })
  expect(planned.command).toEqual(['claude', '--dangerously-skip-permissions'])
  expect(planned.program).toMatchObject({ grant: 'anthropic', project: ['npm', 'start'] })
  expect(planned.image.base).toBe('node:20-slim')
  expect(planned.image.packages.map(({ packages, version }) => [packages, version])).toEqual([
    [['@anthropic-ai/claude-code'], '2.1.0'],
  ])
  expect(planned.image.debianPackages).toEqual(['curl', 'git', 'jq'])
  expect(planned.env).toMatchObject({ A: 'c', CLAUDE_CONFIG_DIR: '/var/lib/claude', DISABLE_AUTOUPDATER: '0' })
  expect(planned.grants).toEqual([{ name: 'anthropic', profile: 'default' }])
  expect(planned.volumes.map(({ name, place }) => [name, place])).toEqual([
    ['claude.default', '/h/.moat'],
    ['claude.projects.default', path],
  ])
  // It asks for nothing that the user has not asked for.
  expect(planned.powers.filter(({ own }) => !own)).toEqual([])
  expect(planned.openStdin).toBe(false)
})

it('needs no moat.yaml, and writes none', async () => {
  await writeFile(
    join(path, 'package.json'),
    '{"name": "shop", "scripts": {"dev": "node a.js"}, "engines": {"node": "20"}}',
  )
  const planned = await plan()
  expect(planned).toMatchObject({ name: 'shop', program: { project: ['npm', 'run', 'dev'] } })
  expect(planned.image.base).toBe('node:20-slim')
  expect(planned.notes[0]).toMatch(/^Note: there is no moat\.yaml, so what package\.json says is taken\. moat init /)
  expect(planned.program).not.toHaveProperty('grant')
  const request = { env: {}, mounts: [], path }
  await expect(planAgent(request, plugins, 'localhost')).rejects.toMatchObject({ code: 'CONFIG_MISSING' })
})

it('has hooks.pre_run before the program, but not before its login', async () => {
  await write('hooks: {pre_run: npm ci}\n')
  expect((await plan()).command).toEqual(
    expect.arrayContaining(['sh', '-c', 'npm ci', 'claude', '--dangerously-skip-permissions']),
  )
  expect((await plan({ login: true, there: ['claude'] })).command).toEqual(['claude', 'auth', 'login'])
})

it('lets a login out of a strict policy, and has no rule where there is none, or a grant', async () => {
  await write('network: {policy: strict}\n')
  const hosts = async (given: Partial<ProgramRequest>) => (await plan(given)).network.rules.map(({ host }) => host)
  expect((await hosts({ login: true })).toSorted()).toEqual([...(claude.hosts ?? [])].toSorted())
  expect(await hosts({ there: ['claude'] })).toEqual([])
  await write('name: app\n')
  expect(await hosts({ login: true })).toEqual([])
})

it('has no login and a grant at the same time', async () => {
  await write('name: app\n')
  const planned = await plan({ login: true, there: ['claude'] })
  expect(planned.grants).toEqual([])
  expect(planned.program).not.toHaveProperty('grant')
})

it("refuses a moat.yaml that has something in the place of the program's state", async () => {
  await write('volumes: [{name: mine, target: /var/lib/claude}]\n')
  await expect(plan()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('/var/lib/claude'),
  })
})
