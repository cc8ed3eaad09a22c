// What is served of agents' labels: the same agent is judged once, and again when plugins are others.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Agent } from '../../../src/routing/agent.js'
import { LabelCourt } from '../../../src/supervisor/label-court.js'

const plugin = 'moat-plugin-hello'
const agent: Agent = {
  containerId: 'app',
  createdAt: '2025-01-01T00:00:00.000Z',
  endpoints: [{ name: 'web', plugin, type: 'hello' }],
  keep: false,
  name: 'app',
  published: {},
  routes: [{ endpoint: 'web', routes: [{ handle: [{ body: 'hello', handler: 'static_response' }] }] }],
  runId: 'run_0123456789ab',
  state: 'running',
  workspace: '/src',
}

let directory: string
let log: string[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-court-'))
  log = []
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

function install(): void {
  mkdirSync(join(directory, 'node_modules', plugin), { recursive: true })
  writeFileSync(
    join(directory, 'package.json'),
    JSON.stringify({ dependencies: { [plugin]: '1.0.0' }, oclif: { plugins: [{ name: plugin, type: 'user' }] } }),
  )
  writeFileSync(
    join(directory, 'node_modules', plugin, 'package.json'),
    JSON.stringify({ name: plugin, version: '1.0.0' }),
  )
}

it('is the same object for the same agent, until its plugin is there', () => {
  const court = new LabelCourt(directory, (line) => log.push(line))
  const [without] = court.judge([agent])
  expect(court.describe()).toContain('not installed')
  expect(court.judge([agent])[0]).toBe(without)
  expect(log).toHaveLength(1)
  install()
  const [served] = court.judge([agent])
  expect(served?.routes).toEqual(agent.routes)
  expect(court.describe()).toBeUndefined()
  expect(court.judge([agent])[0]).toBe(served)
})
