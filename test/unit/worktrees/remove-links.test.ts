// Owns that no link of an agent's stays among git's files, and that nothing else goes.
import { existsSync } from 'node:fs'
import { chmod, lstat, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import type { GitPlace } from '../../../src/worktrees/git-place.js'
import { removeLinks } from '../../../src/worktrees/remove-links.js'
import { asOrdinaryUser } from '../config/as-user.js'
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

it('finds those in directories that are deep, and under names that are no text', async () => {
  const { git, victim } = await repository()
  const bytes = (...parts: (Buffer | string)[]) => Buffer.concat(parts.map((part) => Buffer.from(part)))
  const deep = join(git, 'logs/refs/heads', ...Array<string>(600).fill('d'))
  await mkdir(deep, { recursive: true })
  await symlink(victim, join(deep, 'x'))
  const odd = bytes(git, '/logs/refs/heads/odd-', Buffer.from([0xff, 0xe4]))
  await symlink(victim, odd)
  const directory = bytes(git, '/refs/heads/\u{e4}', Buffer.from([0xff]))
  await mkdir(directory)
  await symlink(victim, bytes(directory, '/x'))
  expect(await removeAll({ commonDir: git, gitDir: git })).toEqual([
    join(deep, 'x'),
    join(git, 'logs/refs/heads/odd-\udcff\udce4'),
    join(git, 'refs/heads/\u{e4}\udcff/x'),
  ])
  await expect(lstat(odd)).rejects.toThrow('ENOENT')
  await expect(lstat(bytes(directory, '/x'))).rejects.toThrow('ENOENT')
})

it('tells of what is closed, and looks at all the rest', async () => {
  const { git, victim } = await repository()
  for (const path of [dirname(dirname(git)), dirname(git)]) await chmod(path, 0o755)
  await mkdir(join(git, 'refs/heads/0'))
  await symlink(victim, join(git, 'refs/heads/1'))
  await chmod(join(git, 'refs/heads/0'), 0)
  const closed: string[] = []
  await asOrdinaryUser(() =>
    removeLinks(
      { commonDir: git, gitDir: git },
      () => true,
      (path) => closed.push(path),
    ),
  )
  expect(closed).toEqual([join(git, 'refs/heads/0')])
  expect(await removeAll({ commonDir: git, gitDir: git })).toEqual([join(git, 'refs/heads/1')])
})

it("looks, for a worktree, at its own directory and what it shares, not at the main checkout's", async () => {
  const { git, victim } = await repository()
  const own = join(git, 'worktrees/w')
  for (const place of [join(git, 'COMMIT_EDITMSG'), join(own, 'COMMIT_EDITMSG'), join(git, 'logs/x')])
    await symlink(victim, place)
  expect(await removeAll({ commonDir: git, gitDir: own })).toEqual([join(git, 'logs/x'), join(own, 'COMMIT_EDITMSG')])
})
