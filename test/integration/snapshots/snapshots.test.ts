// Owns snapshots as a person uses them: the one before a run, and the way back under an agent that is at work.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { SnapshotView } from '../../../src/terminal/format-snapshots.js'
import type { RestoreOutcome } from '../../../src/terminal/restore-session.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

/** Spoils its workspace at once, then does what git ignores. */
const script =
  'echo spoilt > text.txt; rm kept.txt; echo new > new.txt; while :; do echo x >> ticks.log; sleep 0.05; done'

it('a run has a snapshot from before its first instruction, to which its agent is taken back while it is held still', async () => {
  const workspace = sandbox.directory('app', {
    '.gitignore': '*.log\n',
    'kept.txt': 'kept',
    'moat.yaml': `name: app\ndependencies: [node@22]\ncommand: ${JSON.stringify(script)}\n`,
    'text.txt': 'mine',
  })
  const read = (path: string) => readFileSync(join(workspace, path), 'utf8')
  const agent = await sandbox.json<AgentView>(['run', '-d', 'app'])
  await until('the work of the agent', () => existsSync(join(workspace, 'ticks.log')))
  const listed = await sandbox.json<{ snapshots: SnapshotView[] }>(['snapshot', 'list', 'app'])
  expect(listed.snapshots).toMatchObject([
    { agent: 'app', files: 4, id: 1, reason: 'run', runId: agent.runId, workspace },
  ])
  const diff = await sandbox.moat(['snapshot', 'diff', agent.runId])
  expect(diff.stdout).toBe('- kept.txt\n+ new.txt\n~ text.txt\n')

  // Nobody is there to be asked.
  const asked = await sandbox.moat(['snapshot', 'restore', 'app'])
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--yes')])
  expect(read('text.txt')).toBe('spoilt\n')

  const { Id = '' } = (await sandbox.containers())[0] ?? {}
  const since = Math.floor(Date.now() / 1000)
  const restored = await sandbox.json<RestoreOutcome>(['snapshot', 'restore', 'app', '1', '--yes'])
  expect(restored).toMatchObject({ failed: [], paused: 1, restored: 1, undo: 2 })
  expect([read('text.txt'), read('kept.txt'), existsSync(join(workspace, 'new.txt'))]).toEqual(['mine', 'kept', false])
  const events = await sandbox.docker.getEvents({
    filters: { container: [Id], event: ['pause', 'unpause'] },
    since,
    until: Math.ceil(Date.now() / 1000) + 1,
  })
  let text = ''
  for await (const piece of events) text += piece
  expect(text.match(/"Action":"\w+"/g)).toEqual(['"Action":"pause"', '"Action":"unpause"'])
  const ticks = read('ticks.log').length
  await until('the agent to go on', () => read('ticks.log').length > ticks)

  await sandbox.json<RestoreOutcome>(['snapshot', 'restore', '.', '2', '--yes'], { cwd: workspace })
  expect([read('text.txt'), existsSync(join(workspace, 'kept.txt')), read('new.txt')]).toEqual([
    'spoilt\n',
    false,
    'new\n',
  ])
  const pruned = await sandbox.json<{ dropped: number[]; kept: number }>(['snapshot', 'prune', 'app', '--keep', '1'])
  expect(pruned).toMatchObject({ dropped: [1, 2], kept: 1 })
})

it('a run goes on without a snapshot where none can be taken, or moat.yaml wants none, and says so', async () => {
  sandbox.directory('app', { 'moat.yaml': 'name: app\ndependencies: [node@22]\ncommand: "true"\n' })
  mkdirSync(sandbox.home, { recursive: true })
  writeFileSync(join(sandbox.home, 'snapshots'), 'no directory')
  const failed = await sandbox.moat(['run', 'app'])
  expect([failed.code, failed.stderr]).toEqual([
    0,
    expect.stringContaining('there is no snapshot from before this run.'),
  ])
  rmSync(join(sandbox.home, 'snapshots'))
  writeFileSync(
    join(sandbox.directory('app'), 'moat.yaml'),
    'name: app\ndependencies: [node@22]\ncommand: "true"\nsnapshots: {disabled: true}\n',
  )
  const disabled = await sandbox.moat(['run', 'app'])
  expect(disabled.stderr).toContain('no snapshot of the workspace is taken: app/moat.yaml:4:12 says so.')
  expect(existsSync(join(sandbox.home, 'snapshots'))).toBe(false)
})
