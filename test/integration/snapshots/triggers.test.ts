// Snapshots that are taken while an agent works: at an idle time, and after a commit that its own git makes.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { SnapshotView } from '../../../src/terminal/format-snapshots.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const sandbox = new Sandbox()
afterAll(() => sandbox.cleanUp())

/** Writes, is still until there is a file `go`, which git ignores, then commits and ends. */
const script = `echo one > text.txt; while [ ! -e go ]; do sleep 0.1; done; echo two > text.txt
git -c user.name=a -c user.email=a@host.example commit --quiet --all --message two`

it('a detached run has one once it is still, and one of a commit, though its agent ends with that', async () => {
  const workspace = sandbox.directory('app', {
    '.gitignore': 'go\n',
    'moat.yaml': `name: app\ndependencies: [node@22, git]\ncommand: ${JSON.stringify(script)}\nsnapshots: {triggers: {commit: true, idle: 2}}\n`,
    'text.txt': 'zero\n',
  })
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@host.example', ...args], { cwd: workspace })
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--message', 'one')
  const agent = await sandbox.json<AgentView>(['run', '-d', 'app'])
  const listed = async () =>
    (await sandbox.json<{ snapshots: SnapshotView[] }>(['snapshot', 'list', workspace])).snapshots
  const first = (reason: string) => async () => (await listed()).findLast((snapshot) => snapshot.reason === reason)
  const idle = await until('a snapshot of an idle time', first('idle'))
  writeFileSync(join(workspace, 'go'), '')
  const commit = await until('a snapshot of a commit', first('commit'))
  const common = { agent: 'app', runId: agent.runId, workspace }
  expect([idle, commit]).toMatchObject([
    { ...common, id: 2, reason: 'idle' },
    { ...common, reason: 'commit' },
  ])
  const { stdout } = await sandbox.moat(['snapshot', 'list', workspace])
  expect(stdout).toMatch(/after a commit of app \(run_\w+\)\n[\s\S]*at an idle time of app .*\n.*before a run of app/)
  const diff = await sandbox.moat(['snapshot', 'diff', workspace, '2', String(commit.id)])
  expect(diff.stdout).toBe('~ text.txt\n')
  await until('the end of what watches', async () => (await sandbox.guards()).length === 0)
  const log = join(sandbox.home, 'snapshots.log')
  expect(existsSync(log) && readFileSync(log, 'utf8')).toBe('')
})
