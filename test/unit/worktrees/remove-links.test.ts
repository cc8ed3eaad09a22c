// Owns that no link of an agent's stays among git's files, and that nothing else goes.
import { existsSync } from 'node:fs'
import { lstat, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import type { GitPlace } from '../../../src/worktrees/git-place.js'
import { removeLinks } from '../../../src/worktrees/remove-links.js'
import { temporaryDirectory } from '../config/temp-directory.js'

async function repository() {
  const directory = await temporaryDirectory()
  const git = join(directory, 'git')
  const victim = join(directory, 'bashrc')
  await writeFile(victim, 'mine')
  for (const file of [
    'HEAD',
    'logs/HEAD',
    'refs/heads/main',
    'objects/aa/b',
    'objects/pack/x',
    'hooks/x',
    'worktrees/w/HEAD',
  ])
    await write(join(git, file))
  return { git, victim }
}

async function removeAll(place: GitPlace): Promise<string[]> {
  return (await removeLinks(place, () => false)).map(({ path }) => path)
}

async function write(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, 'x')
}

it('removes what an agent could have left anywhere that git writes', async () => {
  const { git, victim } = await repository()
  const places = [
    'COMMIT_EDITMSG',
    'FETCH_HEAD',
    'logs/refs',
    'logs/HEAD2',
    'refs/heads/x',
    'objects/bb',
    'objects/aa/c',
  ]
  for (const place of [...places, 'rebase-merge/done']) {
    await mkdir(dirname(join(git, place)), { recursive: true })
    await symlink(victim, join(git, place))
  }
  const removed = await removeAll({ commonDir: git, gitDir: git })
  expect(removed).toEqual([...places, 'rebase-merge/done'].map((place) => join(git, place)).toSorted())
  expect(await readFile(victim, 'utf8')).toBe('mine')
  for (const file of ['HEAD', 'logs/HEAD', 'refs/heads/main', 'objects/aa/b', 'hooks/x'])
    expect(existsSync(join(git, file))).toBe(true)
})

it('follows no link to a directory, and leaves hooks, and what its user may have made one, as they are', async () => {
  const { git, victim } = await repository()
  await symlink(victim, join(dirname(victim), 'other'))
  await symlink(dirname(victim), join(git, 'refs/out'))
  for (const place of [
    'hooks/pre-commit',
    'rr-cache',
    'config',
    'remotes',
    '.#COMMIT_EDITMSG',
    'objects/pack/pack-ab.idx',
  ])
    await symlink(victim, join(git, place))
  const other = join(dirname(git), 'linked')
  await mkdir(other)
  await symlink('refs/heads/main', join(other, 'HEAD'))
  expect(await removeAll({ commonDir: git, gitDir: git })).toEqual([join(git, 'refs/out')])
  expect(await removeAll({ commonDir: other, gitDir: other })).toEqual([])
  expect((await lstat(join(dirname(victim), 'other'))).isSymbolicLink()).toBe(true)
})

it("looks, for a worktree, at its own directory and what it shares, not at the main checkout's", async () => {
  const { git, victim } = await repository()
  const own = join(git, 'worktrees/w')
  for (const place of [join(git, 'COMMIT_EDITMSG'), join(own, 'COMMIT_EDITMSG'), join(git, 'logs/x')])
    await symlink(victim, place)
  expect(await removeAll({ commonDir: git, gitDir: own })).toEqual([join(git, 'logs/x'), join(own, 'COMMIT_EDITMSG')])
})
