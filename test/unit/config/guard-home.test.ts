// Owns which parts of ~/.moat a container may be given: worktrees, and nothing else.
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { assertNotMoatHome } from '../../../src/config/guard-home.js'
import { caught } from './caught.js'
import { temporaryDirectory } from './temp-directory.js'

it.each(['worktrees/github.com/ann/app/main', 'worktrees/a'])('lets %s be mounted', async (path) => {
  const home = await temporaryDirectory()
  await mkdir(join(home, path), { recursive: true })
  await assertNotMoatHome(join(home, path), home)
})

it.each(['', 'worktrees', 'worktrees-2/a', 'proxy', 'proxy/ca', 'git', 'bin/worktrees/a'])(
  'keeps "%s" out of containers',
  async (path) => {
    const home = await temporaryDirectory()
    await mkdir(join(home, path), { recursive: true })
    expect((await caught(() => assertNotMoatHome(join(home, path), home))).code).toBe('MOAT_HOME_EXPOSED')
  },
)

it('follows links: one among the worktrees that leads to the rest, and worktrees that are a link themselves', async () => {
  const home = await temporaryDirectory()
  await mkdir(join(home, 'proxy/ca'), { recursive: true })
  await mkdir(join(home, 'worktrees'))
  await symlink('../proxy/ca', join(home, 'worktrees/ca'))
  expect((await caught(() => assertNotMoatHome(join(home, 'worktrees/ca'), home))).code).toBe('MOAT_HOME_EXPOSED')
  const other = await temporaryDirectory()
  await mkdir(join(other, 'proxy/ca'), { recursive: true })
  await symlink('proxy', join(other, 'worktrees'))
  expect((await caught(() => assertNotMoatHome(join(other, 'worktrees/ca'), other))).code).toBe('MOAT_HOME_EXPOSED')
})
