// Owns what becomes of a main checkout's config when the host's git replaces it while an agent is at work: its mount is gone then.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const yaml = 'name: app\nbase_image: debian:bookworm-slim\ncommand: [sleep, infinity]\n'

let sandbox: Sandbox
let repository: GitRepository
let config: string

beforeEach(() => {
  sandbox = new Sandbox()
  repository = new GitRepository(sandbox, 'app', { 'moat.yaml': yaml })
  config = join(repository.directory, '.git/config')
})
afterEach(() => sandbox.cleanUp())

const text = () => readFileSync(config, 'utf8')
const inside = (script: string) => sandbox.moat(['exec', 'app', '--', 'sh', '-ec', script])
const listed = async () => (await sandbox.json<{ agents: AgentView[] }>(['list'])).agents[0]
const state = async () => (await listed())?.state
/** In an agent that may be held for a moment: once it does. */
const succeeds = (script: string) => until(script, async () => (await inside(script)).code === 0)
/** What the agent does by itself, once there is a file: a command that moat runs in it could meet it while it is held. */
const attack = `while ! [ -e go ]; do sleep 0.1; done
  ln -f .git/config .git/same; printf "[core]\\n\\tfsmonitor = touch pwned\\n" >> .git/config; sleep infinity`

it('a program that an agent puts into the config that the host has replaced is out of it before long, and the agent held', async () => {
  const run = sandbox.start(['run', repository.directory, '--', 'sh', '-c', attack])
  await succeeds('! echo >> .git/config')

  // What git does every day: the agent goes on, and could write the file from now on.
  repository.git('config', 'branch.main.description', 'mine')
  await succeeds('echo "# touched" >> .git/config')
  expect([await state(), text().includes('mine')]).toEqual(['running', true])

  writeFileSync(join(repository.directory, 'go'), '')
  await until('the agent paused', async () => (await state()) === 'paused')
  await until('the config put back', () => !text().includes('pwned'))
  expect(text()).toContain('mine')
  repository.git('status')
  expect(existsSync(join(repository.directory, 'pwned'))).toBe(false)
  await run.prints(`${config} had core.fsmonitor in it, maybe from an agent`)
  expect((await listed())?.alarm).toContain('core.fsmonitor')
  expect((await sandbox.moat(['list'])).stderr).toContain('app is paused. To let it go on: docker unpause moat-app-')
  expect((await sandbox.moat(['stop', 'app'])).code).toBe(0)
  await until('the end of the guard', async () => (await sandbox.guards()).length === 0)
})

it('a detached agent has a guard, and nothing by which it could write the config in its next run', async () => {
  await sandbox.json(['run', '-d', repository.directory])
  expect(await sandbox.guards()).toHaveLength(1)
  // The host's git would remove the directory with the last worktree, and the mount with it.
  const worktree = join(sandbox.directory('.'), 'tree')
  repository.git('worktree', 'add', '--quiet', worktree)
  repository.git('worktree', 'remove', worktree)
  repository.git('worktree', 'prune')
  await succeeds('! mkdir .git/worktrees/x')
  expect(repository.worktrees()).toEqual([])

  repository.git('remote', 'add', 'origin', 'https://example.com/app.git')
  await succeeds('ln -f .git/config .git/same')
  await sandbox.moat(['stop', 'app'])
  const before = text()
  await sandbox.json(['run', '-d', repository.directory])
  await succeeds('echo "[alias]" >> .git/same; echo x = !evil >> .git/same')
  expect([text(), statSync(config).nlink]).toEqual([before, 1])
})
