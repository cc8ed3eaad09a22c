// Owns moat review as a person uses it: after a run, while it goes on, and in a script.
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Review } from '../../../src/review/review.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const app = (script: string) =>
  sandbox.directory('app', {
    'moat.yaml': `name: app\ndependencies: [node@22]\ncommand: ${JSON.stringify(script)}\n`,
    Makefile: 'all:\n',
  })

it('an attached run ends with a word about what it has left, and moat review exits with 3', async () => {
  const workspace = app('echo x > .envrc; ln -s /etc out; echo "y:" >> Makefile; echo plain > notes.txt')
  const ended = await sandbox.moat(['run', 'app'])
  expect(ended.stderr).toMatch(
    /^Changed, and run or trusted by your own tools: \.envrc, Makefile, out\. See: moat review run_[0-9a-f]{12}$/m,
  )
  const review = await sandbox.moat(['review', 'app'])
  expect(review.code).toBe(3)
  expect(review.stdout).toContain(`Changed in ${workspace} since app (run_`)
  expect(review.stdout).toMatch(
    /\n {2}created {2}\.envrc {4}direnv runs it when you enter the directory\n {2}changed {2}Makefile {2}make runs it\n {2}created {2}out {7}a link that leads out of the workspace, to \/etc\n$/,
  )
  const json = await sandbox.moat(['review', 'app', '--json'])
  const { complete, findings } = JSON.parse(json.stdout) as Review
  expect([json.code, complete, findings.map(({ path }) => path)]).toEqual([3, true, ['.envrc', 'Makefile', 'out']])
})

it('a run that has left nothing is not talked about', async () => {
  app('echo plain > notes.txt')
  expect((await sandbox.moat(['run', 'app'])).stderr).not.toContain('moat review')
  const review = await sandbox.moat(['review', 'app'])
  expect([review.code, review.stdout]).toEqual([0, expect.stringMatching(/^app \(run_.*\) changed nothing in /)])
  const unknown = await sandbox.moat(['review', 'other'])
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('other')])
})

it('works while the agent runs, by run id too, and moat stop says it', async () => {
  app('mkdir .vscode; echo {} > .vscode/tasks.json; sleep 60')
  const { runId } = await sandbox.json<AgentView>(['run', '-d', 'app'])
  await until('a finding', async () => (await sandbox.moat(['review', runId])).code === 3)
  expect((await sandbox.moat(['stop', 'app'])).stderr).toContain(`.vscode/tasks.json. See: moat review ${runId}`)
})
