// Owns what is told of a moat.yaml in which something is wrong: all of it at once, and alone it is told without loading what plans the rest.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { planAgent, type RunRequest } from '../../../../src/agents/plan/plan-agent.js'

const loaded = vi.hoisted(() => ({ rest: false }))
vi.mock('../../../../src/agents/plan/complete-plan.js', async (original) => {
  loaded.rest = true
  return original()
})

const noPlugins = { agentGone: async () => {}, endpointTypes: async () => [], registerEndpoints: async () => [] }
let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'moat-plan-'))
})
afterEach(() => rm(path, { force: true, recursive: true }))

/** The lines of the error. */
async function wrong(moatYaml: string, request: Partial<RunRequest> = {}): Promise<string[]> {
  await writeFile(join(path, 'moat.yaml'), moatYaml)
  const planned = planAgent({ env: {}, mounts: [], path, ...request }, noPlugins, 'localhost')
  const error: Error = await planned.then(
    () => expect.fail('it was planned'),
    (reason) => reason,
  )
  return error.message.replaceAll(`${path}/`, '').split('\n')
}

const unknownKey = 'moat.yaml:1:1: unknown key "evn"; did you mean "env"?'

it('where nothing else can be wrong, it is told without the rest', async () => {
  expect(await wrong('evn: {A: b}\nname: shop\nenv: {C: d}\nvolumes: [{name: data, target: /data}]')).toEqual([
    unknownKey,
  ])
  expect(loaded.rest).toBe(false)
})

it.each([
  ['a dependency', 'dependencies: [gti]', '"gti" is not a dependency that moat knows'],
  ['a service', 'services: {postgers: 17}', 'postgers'],
  ['an endpoint', 'ports: {web: {port: 3000, type: htpp}}', 'unknown endpoint type "htpp"'],
  ['a script without a command', 'hooks: {pre_run: npm ci}', '"hooks.pre_run" needs a command'],
])('what is wrong with %s is told with it', async (_, line, says) => {
  expect(await wrong(`evn: {A: b}\n${line}`)).toEqual([unknownKey, expect.stringContaining(says)])
})

it.each([
  ['a name', { name: 'No Name' }, '"No Name" is not a valid agent name'],
  ['a mount', { mounts: ['nowhere'] }, '--mount nowhere'],
  ['a rule', { allow: ['not a host'] }, '--allow "not a host"'],
] as const)('what is wrong with %s on the line is told first', async (_, request, says) => {
  const [first] = await wrong('evn: {A: b}', structuredClone(request) as Partial<RunRequest>)
  expect(first).toContain(says)
})
