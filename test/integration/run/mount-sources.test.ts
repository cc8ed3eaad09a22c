// Owns that no agent can change what another one is given while the engine looks: those that could are held still.
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
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
