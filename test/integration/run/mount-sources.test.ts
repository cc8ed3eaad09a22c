// Owns that no agent can change what another one is given while the engine looks: those that could are held still.
import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import { Holds } from '../../../src/engine/holds.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const yaml = (name: string) => ({ 'moat.yaml': `name: ${name}\ndependencies: [node@22]\ncommand: [sleep, infinity]\n` })

it('an agent that works above a new one is paused while the new one starts; others are not', async () => {
  const above = sandbox.directory('app', yaml('above'))
  const start = (path: string) => sandbox.json<AgentView>(['run', '-d', path])
  await start(above)
  await start(sandbox.directory('beside', yaml('beside')))
  const since = Date.now() / 1000
  await start(sandbox.directory('app/inner', yaml('inner')))
  expect(await pausesSince(since)).toEqual(['above pause', 'above unpause'])
  // Taken by way of a link, and mounted where that leads.
  symlinkSync(join(above, 'inner'), join(above, 'link'))
  const { stdout } = await sandbox.moat(['run', '-n', 'linked', join(above, 'link'), '--', 'cat', 'moat.yaml'])
  expect(stdout).toContain('name: inner')
  expect((await sandbox.json<{ agents: AgentView[] }>(['list'])).agents.map(({ state }) => state)).toEqual(
    Array(3).fill('running'),
  )
})

it('agents of one repository do not hold each other still', async () => {
  const repository = sandbox.directory('repository', yaml('first'))
  const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args], { env: sandbox.env })
  git('init', '-q')
  git('add', '.')
  git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-qm', 'first')
  await sandbox.json(['run', '-d', repository])
  const since = Date.now() / 1000
  await sandbox.json(['run', '-d', '-n', 'second', repository])
  await sandbox.json(['wt', '-d', 'branch'], { cwd: repository })
  await sandbox.json(['wt', '-d', 'other-branch'], { cwd: repository })
  expect(await sandbox.containers()).toHaveLength(4)
  expect(await pausesSince(since)).toEqual([])
})

it('an agent that was held by one that was killed is woken when agents are listed', async () => {
  await sandbox.json(['run', '-d', sandbox.directory('app', yaml('app'))])
  const [info] = await sandbox.containers()
  const containerId = info?.Id ?? ''
  // A home of its own for this command: what others of this machine hold is no business of the test's.
  const home = sandbox.directory('home')
  const holds = new Holds(join(home, '.moat', 'holds'))
  await (await holds.lock(0))?.release()
  await holds.add({ address: (await connectEngine({})).address, containerId })
  await sandbox.docker.getContainer(containerId).pause()
  const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'], { env: { HOME: home } })
  expect(agents.map(({ state }) => state)).toEqual(['running'])
  expect((await sandbox.docker.getContainer(containerId).inspect()).State.Paused).toBe(false)
  expect(await holds.all()).toEqual([])
})

/** What the engine tells of having paused agents of this sandbox. */
async function pausesSince(since: number): Promise<string[]> {
  const names = new Map((await sandbox.containers()).map((info) => [info.Id, info.Labels['dev.moat.name']]))
  const filters = { container: [...names.keys()], event: ['pause', 'unpause'] }
  const stream: unknown = await sandbox.docker.getEvents({ filters, since, until: Date.now() / 1000 })
  let text = ''
  for await (const piece of stream as NodeJS.ReadableStream) text += piece
  const events = text.split('\n').filter((line) => line !== '')
  return events.map((line) => JSON.parse(line)).map(({ Action, Actor }) => `${names.get(Actor.ID)} ${Action}`)
}
