// An agent in a clone of its own, with a real engine: nothing of the workspace inside, commits brought back and forth, work that is
// kept. What a clone may send, and what is refused, is for unit tests.
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { PulledClone } from '../../../src/clones/pull-clone.js'
import type { PushedBranch } from '../../../src/clones/push-clone.js'
import { liveValues } from '../../../src/completion/live-values.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { VolumeView } from '../../../src/volumes/find-volumes.js'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'
import { idleYaml, inside } from '../../helpers/worktree-agent.js'

// Many commands, each of which has a container of its own.
vi.setConfig({ hookTimeout: 120_000, testTimeout: 120_000 })

let sandbox: Sandbox
let repository: GitRepository
let agent: AgentView

beforeAll(async () => {
  sandbox = new Sandbox()
  repository = new GitRepository(sandbox, 'app', { 'moat.yaml': idleYaml })
  repository.git('remote', 'add', 'origin', 'https://ann:secret@git.example/ann/app.git')
  writeFileSync(join(repository.directory, 'text.txt'), 'not committed')
  const started = await sandbox.moat(['run', '-d', '--clone', '--name', 'one', '--json'], { cwd: repository.directory })
  expect(started.stderr).toContain('1 uncommitted change in')
  agent = JSON.parse(started.stdout)
})
afterAll(async () => {
  const filters = { label: [`dev.moat.home=${sandbox.home}`] }
  const { Volumes } = await sandbox.docker.listVolumes({ filters } as object)
  await sandbox.cleanUp()
  for (const { Name } of Volumes ?? []) await sandbox.docker.getVolume(Name).remove({ force: true })
})

it('has what is committed, as its own, and nothing of the workspace', async () => {
  expect(agent).toMatchObject({ branch: 'main', clone: true, workspace: repository.directory })
  const said = await inside(sandbox, agent, 'cat text.txt; git remote -v; git status --short; touch mine; rm mine; pwd')
  expect(said).toContain('main')
  expect(said).toContain('https://git.example/ann/app.git')
  expect(said).not.toMatch(/secret|not committed|\?\?/)
  const [container] = await sandbox.containers()
  const mounts = container?.Mounts.filter(({ Source }) => Source?.startsWith(repository.directory))
  expect(mounts).toEqual([])
  expect((await sandbox.moat(['list'])).stdout).toContain('main (clone)')
  const refused = await sandbox.moat(['snapshot', 'list', 'one'])
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('of which there are no snapshots') })
  expect((await sandbox.moat(['review', 'one'])).stdout).toContain('moat pull one')
})

it('brings its commits here, runs nothing of it here, and takes commits back', async () => {
  const marks = sandbox.directory('marks')
  const program = `touch ${marks}/ran`
  await inside(
    sandbox,
    agent,
    `echo work > work.txt; echo '* filter=x' > .gitattributes; git add .; git commit -qm work; git commit -qm more --allow-empty; echo changed > text.txt
git replace HEAD HEAD^; mkdir -p .git/info; GIT_NO_REPLACE_OBJECTS=1 git rev-parse HEAD > .git/info/grafts
git config core.fsmonitor '${program}'; git config core.sshCommand '${program}'; git config filter.x.clean '${program}; cat'
git config uploadpack.packObjectsHook '${program}'; git config core.hooksPath "$PWD/.git/hooks"; mkdir -p .git/hooks
for hook in post-checkout reference-transaction post-index-change; do printf '#!/bin/sh\n${program}\n' > .git/hooks/$hook; chmod +x .git/hooks/$hook; done`,
  )
  const destroyed = await sandbox.moat(['destroy', 'one'])
  expect(destroyed.stderr).toContain(
    'commits that were not pulled, on main, 1 uncommitted change; nothing was destroyed',
  )
  const pulled = await sandbox.json<PulledClone>(['pull', 'one'], { cwd: repository.directory })
  expect(pulled).toMatchObject({
    branches: [{ branch: 'main', commits: 2, name: 'moat/one/main' }],
    uncommitted: [{ path: 'text.txt', status: 'M' }],
  })
  expect(repository.git('show', 'moat/one/main:work.txt')).toBe('work')
  expect(repository.git('log', '-1', '--format=%an', 'moat/one/main')).toBe('Ann Host')

  repository.git('checkout', '--quiet', 'text.txt')
  repository.git('merge', '--quiet', 'moat/one/main')
  repository.git('commit', '--quiet', '--allow-empty', '--message', 'From here')
  const inTheWay = await sandbox.moat(['push', 'one'], { cwd: repository.directory })
  expect(inTheWay).toMatchObject({ code: 1, stderr: expect.stringContaining('uncommitted changes, in text.txt') })
  await inside(sandbox, agent, 'git -c core.hooksPath=/dev/null -c core.fsmonitor=false checkout -q text.txt')
  const pushed = await sandbox.json<PushedBranch>(['push', 'one'], { cwd: repository.directory })
  expect(pushed).toMatchObject({ branch: 'main', changed: true, checkedOut: true })
  expect(readdirSync(marks)).toEqual([])
  expect(readdirSync(join(sandbox.home, 'git')).filter((name) => /^(pull|push|clone)-|filling$/.test(name))).toEqual([])
})

it('stays when the agent ends, is used by the next, and goes when nothing would be lost', async () => {
  const stopped = await sandbox.moat(['stop', 'one'])
  expect(stopped.stderr).toContain('The clone of one stays')
  const { volumes } = await sandbox.json<{ volumes: VolumeView[] }>(['volumes', 'list'])
  expect(volumes).toMatchObject([{ name: 'clone.one', place: join(repository.directory, '.git'), usedBy: [] }])
  const typed = { env: sandbox.env, home: sandbox.home, plugins: '', typed: '' }
  await until('the completion', async () => (await liveValues('clones', typed)).some(({ value }) => value === 'one'))
  expect(await sandbox.json(['volumes', 'prune', '--all', '--force'])).toMatchObject({ removed: [] })
  const words = ['wt', '-d', '--clone', '--name', 'one', 'main']
  const included = await sandbox.moat([...words, '--include', '.env'], { cwd: repository.directory })
  expect(included).toMatchObject({ code: 2, stderr: expect.stringContaining('is given none of yours') })
  const again = await sandbox.moat([...words, '--json'], { cwd: repository.directory })
  expect(again.stderr).toContain('goes on in the clone that it has')
  agent = JSON.parse(again.stdout)
  expect(await inside(sandbox, agent, 'git log -1 --format=%s')).toBe('From here\n')
  expect((await sandbox.moat(['destroy', 'one'])).stdout).toContain('Destroyed the clone of one.')
  expect(await sandbox.json(['volumes', 'list'])).toEqual({ volumes: [] })
  expect(await sandbox.moat(['pull', 'one'])).toMatchObject({ code: 1 })
})
