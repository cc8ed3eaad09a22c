// Owns that a container is given hooks of its repository, and nothing that a link among them leads to elsewhere.
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ownHooks } from '../../../src/worktrees/own-hooks.js'

let directory: string
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'moat-hooks-')))
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

it('copies hooks, and those linked within the checkout, but no file from elsewhere', async () => {
  const [app, own] = [join(directory, 'app'), join(directory, 'own')]
  const hooks = join(app, '.git/hooks')
  for (const path of [hooks, own, join(app, 'scripts')]) mkdirSync(path, { recursive: true })
  writeFileSync(join(directory, 'id_rsa'), 'private')
  writeFileSync(join(hooks, 'pre-commit'), 'true', { mode: 0o755 })
  writeFileSync(join(hooks, 'pre-push.sample'), 'true')
  writeFileSync(join(app, 'scripts/check'), 'check', { mode: 0o755 })
  symlinkSync('../../scripts/check', join(hooks, 'pre-push'))
  symlinkSync('../../../id_rsa', join(hooks, 'post-commit'))
  symlinkSync(join(directory, 'id_rsa'), join(app, 'scripts/again'))
  symlinkSync('../../scripts/again', join(hooks, 'post-merge'))
  execFileSync('mkfifo', [join(hooks, 'post-checkout')])
  mkdirSync(join(hooks, 'update'))
  const copies = await ownHooks(join(app, '.git'), own, [app])
  expect(readdirSync(copies).toSorted()).toEqual(['pre-commit', 'pre-push'])
  expect(readFileSync(join(copies, 'pre-push'), 'utf8')).toBe('check')
  expect(statSync(join(copies, 'pre-commit')).mode & 0o777).toBe(0o755)
})

it('copies what is linked from the checkout of a repository that lies elsewhere', async () => {
  const [app, apart, own] = [join(directory, 'app'), join(directory, 'apart'), join(directory, 'own')]
  for (const path of [join(apart, 'hooks'), own, app]) mkdirSync(path, { recursive: true })
  writeFileSync(join(app, 'check'), 'check')
  symlinkSync(join(app, 'check'), join(apart, 'hooks/pre-commit'))
  expect(readdirSync(await ownHooks(apart, own, []))).toEqual([])
  expect(readdirSync(await ownHooks(apart, own, [app]))).toEqual(['pre-commit'])
})
