// Commands that come at the same moment, in any order: whoever wins, the engine, `moat list` and the URLs agree afterwards, and
// whoever loses is told why.
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { long, patience, rounds } from '../../helpers/fuzz.js'
import { type Outcome, Sandbox } from '../../helpers/sandbox.js'
import { freePort } from '../../helpers/servers.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const codeOf = ({ stderr }: Outcome) => /(is running already|already|taken|in use)/i.exec(stderr)?.[0]

/** The agents there are, each of which answers at its URL with its own name. */
async function answering(): Promise<string[]> {
  const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
  const running = agents.filter(({ state }) => state === 'running')
  await Promise.all(
    running.map(({ endpoints, name }) =>
      until(
        `the answer of ${name}`,
        async () => (await sandbox.get(endpoints[0]?.url ?? '')).body === `${name} 3000`,
        30_000,
      ),
    ),
  )
  const engine = (await sandbox.containers()).filter(({ State }) => State === 'running')
  const names = running.map(({ name }) => name).toSorted()
  expect(engine.map(({ Labels }) => Labels['dev.moat.name']).toSorted()).toEqual(names)
  return names
}

// The short form of both: run/run.test.ts and supervisor/supervisor.test.ts.
it.runIf(long)('many runs of one name: one wins, and the others say whose the name is', patience, async () => {
  const workspace = sandbox.workspace('same')
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, () => sandbox.moat(['run', '-d', '--name', 'same', workspace])),
  )
  const lost = outcomes.filter(({ code }) => code !== 0)
  expect(outcomes.length - lost.length).toBe(1)
  for (const outcome of lost)
    expect([codeOf(outcome), outcome.stderr]).toEqual([expect.any(String), expect.stringContaining('same')])
  expect(await answering()).toEqual(['same'])
})

it.runIf(long)('many agents without a proxy: one supervisor, one Caddy, and all answer', patience, async () => {
  const names = Array.from({ length: 30 }, (_, index) => `agent-${index}`)
  const outcomes = await Promise.all(names.map((name) => sandbox.moat(['run', '-d', sandbox.workspace(name)])))
  expect(outcomes.filter(({ code }) => code !== 0)).toEqual([])
  expect(await answering()).toEqual(names.toSorted())
  const { caddys, doorkeepers, supervisors } = await sandbox.processes()
  expect([caddys.length, doorkeepers.length, supervisors.length]).toEqual([1, 1, 1])
})

it('a run and the end of the last agent, or of the proxy: who has run is reached', patience, async () => {
  const [one, two] = [sandbox.workspace('one'), sandbox.workspace('two')]
  for (let round = 0; round < rounds(1); round += 1) {
    await sandbox.json(['run', '-d', one])
    // As the last agent goes, the proxy is about to stop by itself.
    const [stopped, ran] = await Promise.all([sandbox.moat(['stop', 'one']), sandbox.moat(['run', '-d', two])])
    expect([stopped.code, ran.code, ran.stderr]).toEqual([0, 0, expect.any(String)])
    expect(await answering()).toEqual(['two'])
    const [ended, again] = await Promise.all([sandbox.moat(['proxy', 'stop']), sandbox.moat(['run', '-d', one])])
    expect([ended.code, again.code, again.stderr]).toEqual([0, 0, expect.any(String)])
    // Which of them was first is not known; whoever comes next finds the proxy, or starts it.
    await sandbox.json(['proxy', 'start', '--detach'])
    expect(await answering()).toEqual(['one', 'two'])
    await sandbox.moat(['stop', 'one', 'two'])
    await sandbox.moat(['proxy', 'stop'])
  }
})

it('a stop and a run of one name: it is free or taken, and nothing in between', patience, async () => {
  const workspace = sandbox.workspace('app')
  await sandbox.json(['run', '-d', workspace])
  for (let round = 0; round < rounds(1); round += 1) {
    const [stopped, ran] = await Promise.all([sandbox.moat(['stop', 'app']), sandbox.moat(['run', '-d', workspace])])
    expect(stopped.code).toBe(0)
    if (ran.code !== 0) expect([codeOf(ran), ran.stderr]).toEqual([expect.any(String), expect.stringContaining('app')])
    // The stop may have found the new one too.
    const names = await answering()
    expect(names.length <= 1).toBe(true)
    if (names.length === 0) await sandbox.json(['run', '-d', workspace])
  }
  expect(await answering()).toEqual(['app'])
})

it('two proxies that are to have different ports: one starts, and the other names both', patience, async () => {
  const ports = [await freePort(), await freePort()]
  const start = (port: number) => sandbox.moat(['proxy', 'start', '--detach', '--port', `${port}`])
  const outcomes = await Promise.all(ports.map(start))
  const [lost] = outcomes.filter(({ code }) => code !== 0)
  expect(outcomes.filter(({ code }) => code === 0)).toHaveLength(1)
  for (const port of ports) expect(lost?.stderr).toContain(`${port}`)
  const status = await sandbox.json<ProxyStatus>(['proxy', 'status'])
  expect([status.status, ports.includes(status.port)]).toEqual(['running', true])
  const { caddys, supervisors } = await sandbox.processes()
  expect([caddys.length, supervisors.length]).toEqual([1, 1])
})

it('a run while the root is replaced: reached with the new one, and by its own container too', patience, async () => {
  const [one, two] = [sandbox.workspace('one'), sandbox.workspace('two')]
  await sandbox.json(['run', '-d', one])
  for (let round = 0; round < rounds(1); round += 1) {
    const before = sandbox.certificate
    const rotated = sandbox.moat(['proxy', 'ca', 'rotate'])
    const [rotation, ran] = await Promise.all([rotated, sandbox.moat(['run', '-d', two])])
    expect([rotation.code, ran.code, rotation.stderr + ran.stderr]).toEqual([0, 0, expect.any(String)])
    expect(sandbox.certificate).not.toBe(before)
    expect(await answering()).toEqual(['one', 'two'])
    const script = "fetch(process.env.MOAT_URL_WEB.replace('http:', 'https:')).then((r) => r.text()).then(console.log)"
    const asked = await sandbox.inside('two', 'node', '-e', script)
    expect([asked.stdout, asked.stderr]).toEqual(['two 3000\n', ''])
    await sandbox.moat(['stop', 'two'])
  }
})
