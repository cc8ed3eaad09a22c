// Owns that what a guard has said is told of the agents that it is about, and of no others.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { followAlarms, raiseAlarm, withAlarms } from '../../../src/guard/alarms.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { until } from '../../helpers/until.js'

let directory: string
let workspace: string

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'moat-alarms-')))
  workspace = join(directory, 'app')
  execFileSync('git', ['init', '--quiet', workspace])
})
afterEach(() => rmSync(directory, { recursive: true }))

const place = () => ({ commonDir: join(workspace, '.git'), gitDir: join(workspace, '.git'), root: workspace })
const agent = (more: Partial<AgentView>): AgentView => ({
  createdAt: '2026-11-24T12:00:00.000Z',
  endpoints: [],
  name: 'app',
  runId: 'run_0123456789ab',
  state: 'paused',
  workspace,
  ...more,
})

it('tells of paused agents of the checkout that were there by then', async () => {
  const agents = [
    agent({}),
    agent({ state: 'running' }),
    agent({ workspace: directory }),
    agent({ createdAt: new Date(Date.now() + 60_000).toISOString() }),
  ]
  expect(await withAlarms(agents, directory)).toEqual(agents)
  await raiseAlarm(place(), directory, 'first')
  await raiseAlarm(place(), directory, 'second')
  expect((await withAlarms(agents, directory)).map(({ alarm }) => alarm)).toEqual([
    'second',
    undefined,
    undefined,
    undefined,
  ])
})

it('is followed from now on', async () => {
  await raiseAlarm(place(), directory, 'before')
  const told: string[] = []
  const stop = followAlarms(place(), directory, (text) => told.push(text))
  // By the time of its change another one is told from the first, which a clock of milliseconds may not do.
  await until('the alarm', async () => {
    await raiseAlarm(place(), directory, 'now')
    return told.includes('now')
  })
  stop()
  expect(told).not.toContain('before')
})
