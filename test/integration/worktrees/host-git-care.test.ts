// Owns what git that moat starts on the host does with a repository: ordinary work, what it refuses in words, what it does not follow.
import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { moatPaths } from '../../../src/config/paths.js'
import { MoatError } from '../../../src/errors.js'
import { findCheckout } from '../../../src/worktrees/find-checkout.js'
import { prepareWorktree } from '../../../src/worktrees/prepare-worktree.js'
import { openRepository } from '../../../src/worktrees/repository.js'
import { unsavedWork } from '../../../src/worktrees/unsaved-work.js'
import { TrappedRepository } from '../../helpers/trapped-repository.js'
import { everyGit } from './every-git.js'

const at = new TrappedRepository()

it('works in an ordinary repository in all these ways', async () => {
  const opened = await openRepository(at.repository.directory)
  const base = moatPaths(process.env).worktrees
  const config = statSync(join(at.own, 'config')).ino
  const { notes, path, rollBack } = await prepareWorktree(opened, base, 'theirs')
  expect(notes).toEqual(['New branch theirs, which follows origin/theirs.'])
  expect(await readFile(join(path, 'some.data'), 'utf8')).toBe('data')
  expect(at.repository.git('-C', path, 'status', '--porcelain', '--branch')).toBe('## theirs...origin/theirs')
  expect(await readFile(join(path, '.git'), 'utf8')).toBe(`gitdir: ${join(at.own, 'worktrees/theirs')}\n`)
  const checkout = await findCheckout(path)
  expect(checkout && (await unsavedWork(checkout))).toBe(undefined)
  await rollBack()
  expect(at.repository.branches()).toEqual(['main'])
  expect(at.repository.worktrees()).toEqual([])
  expect(await readFile(join(at.own, 'config'), 'utf8')).not.toContain('theirs')
  // The same file: a container is kept from it by a mount, which ends when it is replaced.
  expect(statSync(join(at.own, 'config')).ino).toBe(config)
  expect(existsSync(join(at.own, 'config.lock'))).toBe(false)
})

it("heeds the user's own filters, which a right checkout needs", async () => {
  await appendFile(process.env.GIT_CONFIG_GLOBAL ?? '', '[filter "evil"]\n\tsmudge = sed s/^/smudged-/\n')
  at.config('filter.evil.smudge', at.trap)
  const { path } = await prepareWorktree(
    await openRepository(at.repository.directory),
    moatPaths(process.env).worktrees,
    'new',
  )
  expect(await readFile(join(path, 'some.data'), 'utf8')).toBe('smudged-data')
  expect(at.isStepped()).toBe(false)
})

it('keeps a sparse checkout sparse', async () => {
  mkdirSync(join(at.repository.directory, 'one'))
  mkdirSync(join(at.repository.directory, 'two'))
  for (const name of ['one', 'two']) writeFileSync(join(at.repository.directory, name, 'file'), name)
  at.repository.commit('Directories')
  at.repository.git('sparse-checkout', 'set', 'one')
  const opened = await openRepository(at.repository.directory)
  const { path } = await prepareWorktree(opened, moatPaths(process.env).worktrees, 'new')
  expect([existsSync(join(path, 'one/file')), existsSync(join(path, 'two/file'))]).toEqual([true, false])
  expect(at.repository.git('-C', path, 'status', '--porcelain')).toBe('')
  expect(at.repository.git('-C', path, 'sparse-checkout', 'list')).toBe('one')
})

it('heeds nothing of a config that is rewritten while git runs', async () => {
  const harmless = await readFile(join(at.own, 'config'))
  const evil = `${harmless}\n[filter "evil"]\n\tsmudge = ${at.trap}\n[core]\n\tfsmonitor = ${at.trap}\n\thooksPath = ${at.directory('hooks')}\n`
  at.hook(at.directory('hooks'), 'post-checkout')
  at.hook(at.directory('hooks'), 'reference-transaction')
  let done = false
  const rewrite = async () => {
    for (let turn = 0; !done; turn++) await writeFile(join(at.own, 'config'), turn % 2 ? harmless : evil)
  }
  const rewriting = rewrite()
  await everyGit(at)
  done = true
  await rewriting
  expect(at.isStepped()).toBe(false)
})

it.each([
  ['commondir', () => writeFileSync(join(at.own, 'commondir'), '/elsewhere\n'), 'sends git to another repository'],
  [
    'an unknown extension',
    () => at.config('extensions.future', 'x'),
    'sets extensions.future, which moat does not know',
  ],
  ['a config git cannot read', () => writeFileSync(join(at.own, 'config'), '[core\n'), 'git cannot read '],
  [
    'a config that is a pipe',
    () => {
      rmSync(join(at.own, 'config'))
      execFileSync('mkfifo', [join(at.own, 'config')])
    },
    'is too large for a config file, or is not a plain file',
  ],
])('refuses a repository with %s, in words', async (_, plant, text) => {
  plant()
  const error = await openRepository(at.repository.directory).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(MoatError)
  expect(error).toMatchObject({ code: 'REPOSITORY_UNSAFE', message: expect.stringContaining(text) })
  expect((error as MoatError).suggestions).not.toEqual([])
})

it.each(['refs/heads/new', 'logs/refs/heads/new', 'logs/refs/heads', 'worktrees', 'packed-refs'])(
  'writes nothing through a link at %s',
  async (path) => {
    const target = at.directory('precious', { file: 'precious' })
    rmSync(join(at.own, path), { force: true, recursive: true })
    symlinkSync(path.endsWith('heads') || path === 'worktrees' ? target : join(target, 'file'), join(at.own, path))
    const opened = await openRepository(at.repository.directory)
    await expect(prepareWorktree(opened, moatPaths(process.env).worktrees, 'new')).rejects.toMatchObject({
      code: 'REPOSITORY_UNSAFE',
    })
    expect(readdirSync(target)).toEqual(['file'])
    expect(await readFile(join(target, 'file'), 'utf8')).toBe('precious')
  },
)

it('runs nothing in a repository it is started in whose files lie in a checkout', async () => {
  const bare = join(at.repository.directory, 'bare')
  at.repository.git('init', '--quiet', '--bare', bare)
  at.repository.git('-C', bare, 'config', 'core.fsmonitor', at.trap)
  at.repository.git('-C', bare, 'config', 'core.bare', 'false')
  at.repository.git('-C', bare, 'config', 'core.worktree', '.')
  await expect(openRepository(bare)).rejects.toMatchObject({ code: 'BARE_REPOSITORY' })
  expect(at.isStepped()).toBe(false)
  at.plainly('-C', bare, 'status')
  expect(at.isStepped()).toBe(true)
})

it("leaves another user's repository alone until it is called safe", async () => {
  chownSync(at.own, 12345, 12345)
  await expect(openRepository(at.repository.directory)).rejects.toMatchObject({
    message: `The repository ${at.repository.directory} is another user's, so git does not work in it.`,
    suggestions: [`git config --global --add safe.directory ${at.repository.directory}`],
  })
  await appendFile(process.env.GIT_CONFIG_GLOBAL ?? '', `[safe]\n\tdirectory = ${at.repository.directory}\n`)
  expect((await openRepository(at.repository.directory)).commonDir).toBe(at.own)
})
