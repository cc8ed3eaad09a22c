// What Caddy refuses of one agent costs that agent, and nobody else.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type LabelledAgent, toLabels } from '../../../src/engine/labels.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const sandbox = new Sandbox()
let image: string
let port: number

/** A container that says of itself what no command of moat's would have said. */
async function forge(agent: Partial<LabelledAgent> & { name: string; runId: string }) {
  const labelled = { endpoints: [], keep: false, routes: [], workspace: '/', ...agent }
  const container = await sandbox.docker.createContainer({
    Cmd: ['sleep', '600'],
    Image: image,
    Labels: toLabels({ ...labelled, home: sandbox.home }),
  })
  await container.start()
  return container
}

const answer = async (name: string) => (await sandbox.get(`https://web.${name}.localhost:${port}`)).body
const status = () => sandbox.json<ProxyStatus>(['proxy', 'status'])
/** Routes that Caddy takes alone, and not twice: of an id there is one. */
const withId = (name: string): LabelledAgent['routes'] => [
  {
    endpoint: 'web',
    routes: [{ '@id': 'mine', handle: [{ body: `I am ${name}`, handler: 'static_response' }] }],
  } as LabelledAgent['routes'][number],
]
const endpoints = [{ name: 'web', type: 'http' }]

beforeAll(async () => {
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])
  port = Number(new URL(endpoints[0]?.url ?? '').port)
  image = (await sandbox.containers())[0]?.Image ?? ''
})
afterAll(() => sandbox.cleanUp())

it('of two agents that Caddy does not take together the first is served, and the second is named', async () => {
  const first = await forge({ endpoints, name: 'first', routes: withId('first'), runId: 'run_000000000001' })
  await until('the first', async () => (await answer('first')) === 'I am first')
  await forge({ endpoints, name: 'second', routes: withId('second'), runId: 'run_000000000002' })
  const problem = await until('a problem', async () => (await status()).problem)
  expect(problem).toContain("second's endpoint web")
  expect(problem).not.toContain('first')
  expect([await answer('app'), await answer('first')]).toEqual(['app 3000', 'I am first'])
  // Others come and go all the same.
  const third = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('third')])
  expect((await sandbox.get(third.endpoints[0]?.url ?? '')).body).toBe('third 3000')
  await sandbox.json(['stop', 'third'])
  // A start with all of them at once is refused too.
  const { caddy } = await status()
  process.kill(caddy?.pid ?? 0, 'SIGKILL')
  await until(
    'another Caddy',
    async () => (await status()).caddy?.pid !== caddy?.pid && (await answer('app')) === 'app 3000',
  )
  await until('one of both', async () => (await answer('first')) === 'I am first')
  // What was refused is tried again.
  await first.remove({ force: true })
  await until('the second', async () => (await answer('second')) === 'I am second')
  await until('no problem', async () => (await status()).problem === undefined)
})

it('a copy of an agent, with its run id and all, takes nothing from it', async () => {
  const agent = { forwards: [8080], name: 'app', runId: 'run_000000000003' }
  await forge(agent)
  await forge(agent)
  const third = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('third')])
  expect((await sandbox.get(third.endpoints[0]?.url ?? '')).body).toBe('third 3000')
  expect(await answer('app')).toBe('app 3000')
})
