// What a person reads when moat wt cannot do what they ask, word for word, and that nothing is left of the attempt.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(async () => {
  expect(await sandbox.containers()).toEqual([])
  await sandbox.cleanUp()
})

/** Runs moat and expects this exit code and exactly this on stderr. */
async function refuses(cwd: string, args: string[], code: number, text: string, env: NodeJS.ProcessEnv = {}) {
  expect(await sandbox.told(args, { cwd, env })).toEqual({ code, stderr: text, stdout: '' })
}

/** Expects what there was before the first worktree. */
function expectNothingLeft(repository: GitRepository, branches = ['main']): void {
  expect(repository.branches()).toEqual(branches)
  expect(repository.worktrees()).toEqual([])
  expect(existsSync(join(sandbox.home, 'worktrees'))).toBe(false)
}

describe('where there is no checkout', () => {
  it.each([
    ['wt', 'x'],
    ['wt', 'list'],
    ['wt', 'clean'],
    ['run', '--worktree', 'x'],
  ])('moat %s %s says so', async (...args) => {
    const directory = sandbox.directory('plain')
    await refuses(
      directory,
      args,
      2,
      `Error: ${directory} is not in a git repository, so there is nothing to branch from.

Try this:
  moat run ${directory}
  git -C ${directory} init
`,
    )
  })

  it('but a bare repository', async () => {
    const bare = sandbox.directory('bare.git')
    new GitRepository(sandbox).git('init', '--quiet', '--bare', bare)
    await refuses(
      bare,
      ['wt', 'x'],
      2,
      `Error: ${bare} is a bare repository: it has no checkout whose moat.yaml could be run.

Try this:
  git -C ${bare} worktree add ${sandbox.directory('.')}/bare-checkout
  cd ${sandbox.directory('.')}/bare-checkout
`,
    )
  })

  it('but the inside of a .git directory', async () => {
    const inside = join(new GitRepository(sandbox).directory, '.git')
    await refuses(
      inside,
      ['wt', 'x'],
      2,
      `Error: ${inside} is inside a repository's own files, not in a checkout of it.\n\nTry this:\n  git worktree list\n`,
    )
  })

  it('nor git', async () => {
    const repository = new GitRepository(sandbox)
    const text = `Error: git was not found on PATH; worktrees need it.\n\nTry this:\n  sudo apt install git\n  brew install git\n`
    await refuses(repository.directory, ['wt', 'x'], 1, text, { PATH: sandbox.directory('empty') })
  })

  it('nor a commit', async () => {
    const directory = sandbox.directory('fresh', { 'moat.yaml': 'command: [sh]\ndependencies: [node@22]\n' })
    new GitRepository(sandbox).git('-C', directory, 'init', '--quiet')
    await refuses(
      directory,
      ['wt', 'x'],
      2,
      `Error: The repository ${directory} has no commits yet, so a branch has nowhere to begin.

Try this:
  git -C ${directory} commit --allow-empty -m 'First commit'
`,
    )
  })
})

describe('a run that fails', () => {
  it('for want of a moat.yaml leaves neither worktree nor branch', async () => {
    const repository = new GitRepository(sandbox)
    repository.git('rm', '--quiet', 'moat.yaml')
    repository.commit('Without moat.yaml')
    await refuses(
      repository.directory,
      ['wt', 'x'],
      2,
      `Error: There is no moat.yaml in ${repository.directory}.

Try this:
  moat init
`,
    )
    expectNothingLeft(repository)
  })

  it('for a mistake in moat.yaml names the file that is still there', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': 'nmae: app\n' })
    const { code, stderr } = await sandbox.told(['wt', 'x'], { cwd: repository.directory })
    expect([code, stderr]).toEqual([2, expect.stringContaining('Error: moat.yaml:1:1: ')])
    expectNothingLeft(repository)
  })

  it('for want of an image takes back what it made, and only that', async () => {
    const yaml = 'name: app\nbase_image: nowhere.invalid/no-image:1\ncommand: [sh]\n'
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': yaml })
    const fails = async (branch: string) => {
      const { code, stderr } = await sandbox.told(['wt', '-d', branch], { cwd: repository.directory })
      expect([code, stderr]).toEqual([1, expect.stringContaining('nowhere.invalid/no-image:1')])
    }
    await fails('deep/new/branch')
    expectNothingLeft(repository)
    repository.git('branch', 'old')
    await fails('old')
    expectNothingLeft(repository, ['main', 'old'])

    // A worktree there was before stays.
    writeFileSync(
      join(repository.directory, 'moat.yaml'),
      'name: app\ndependencies: [node@22]\ncommand: [node, --version]\n',
    )
    repository.commit('A command that ends')
    repository.git('branch', '--force', 'old', 'main')
    expect((await sandbox.told(['wt', 'old'], { cwd: repository.directory })).code).toBe(0)
    const [worktree = ''] = repository.worktrees()
    writeFileSync(join(worktree, 'moat.yaml'), yaml)
    await fails('old')
    expect(existsSync(join(worktree, 'moat.yaml'))).toBe(true)
  })

  it('by Ctrl+C while the image is built takes back what it made', async () => {
    const yaml = `name: app\ndependencies: [node@22]\nhooks: {post_build: "echo ${sandbox.home}; sleep 60"}\ncommand: [sh]\n`
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': yaml })
    const running = sandbox.start(['wt', 'x'], { cwd: repository.directory })
    await running.prints('sleep 60')
    expect(repository.branches()).toEqual(['main', 'x'])
    running.process.kill('SIGINT')
    expect((await running.exited).code).toBe(130)
    expectNothingLeft(repository)
  })

  it('for a wrong name, or a wrong branch', async () => {
    const repository = new GitRepository(sandbox)
    for (const branch of ['a..b', '../x', 'a b', 'HEAD']) {
      await refuses(
        repository.directory,
        ['run', '--worktree', branch],
        2,
        `Error: "${branch}" is not a name git accepts for a branch.\n\nTry this:\n  git help check-ref-format\n`,
      )
    }
    expect((await sandbox.told(['run', '--worktree=--force'], { cwd: repository.directory })).stderr).toContain(
      'Error: "--force" is not a name git accepts for a branch.',
    )
    const { code, stderr } = await sandbox.told(['wt', '--name', 'A_b', 'x'], { cwd: repository.directory })
    expect([code, stderr]).toEqual([2, expect.stringContaining('"A_b" is not a valid agent name')])
    expectNothingLeft(repository)
  })
})

describe('a branch', () => {
  it('that is checked out in the main checkout, or in another worktree, is named with the place', async () => {
    const repository = new GitRepository(sandbox, 'my app')
    const other = sandbox.directory('other')
    repository.git('worktree', 'add', '--quiet', '-b', 'x', other)
    await refuses(
      repository.directory,
      ['wt', 'main'],
      2,
      `Error: Branch main is checked out in the main checkout, ${repository.directory}; git allows that once.

Try this:
  moat run '${repository.directory}'
`,
    )
    const elsewhere = `Error: Branch x is checked out in another worktree, ${other}; git allows that once.\n\nTry this:\n`
    await refuses(repository.directory, ['wt', 'x'], 2, `${elsewhere}  moat run ${other}\n`)
    await rm(other, { recursive: true })
    await refuses(repository.directory, ['wt', 'x'], 2, `${elsewhere}  git worktree prune\n`)
  })

  it('whose worktree is on something else, or whose place is taken', async () => {
    const repository = new GitRepository(sandbox, 'app', {
      'moat.yaml': 'name: app\ndependencies: [node@22]\ncommand: [node, --version]\n',
    })
    expect((await sandbox.told(['wt', 'x'], { cwd: repository.directory })).code).toBe(0)
    const [worktree = ''] = repository.worktrees()
    const head = repository.git('rev-parse', 'main').slice(0, 8)
    const switchBack = `\n\nTry this:\n  git -C ${worktree} switch x\n  moat run ${worktree}\n`
    repository.git('-C', worktree, 'switch', '--quiet', '--detach')
    await refuses(
      repository.directory,
      ['wt', 'x'],
      2,
      `Error: The worktree of branch x, ${worktree}, is at ${head}, with HEAD detached.${switchBack}`,
    )
    repository.git('-C', worktree, 'switch', '--quiet', '-c', 'y')
    await refuses(
      repository.directory,
      ['wt', 'x'],
      2,
      `Error: The worktree of branch x, ${worktree}, is on branch y.${switchBack}`,
    )
    const taken = join(worktree, '../taken')
    mkdirSync(taken)
    writeFileSync(join(taken, 'mine.txt'), '')
    await refuses(
      repository.directory,
      ['wt', 'taken'],
      2,
      `Error: ${join(taken)} exists and is not a worktree of this repository.

Try this:
  ls -la ${join(taken)}
  MOAT_WORKTREE_BASE=<another directory> moat wt taken
`,
    )
    // A directory that somebody deleted is made again.
    repository.git('-C', worktree, 'switch', '--quiet', 'x')
    await rm(worktree, { recursive: true })
    expect((await sandbox.told(['wt', 'x'], { cwd: repository.directory })).code).toBe(0)
    repository.git('-C', worktree, 'switch', '--quiet', '--detach')
    repository.git('branch', '-D', 'x')
    await refuses(
      repository.directory,
      ['wt', 'x/y'],
      2,
      `Error: ${worktree}/y would lie in another worktree, ${worktree}, so branch x/y cannot have it.

Try this:
  git worktree remove ${worktree}
`,
    )
  })

  it('that is new says where it begins: at a detached HEAD, without the changes that are not committed', async () => {
    const repository = new GitRepository(sandbox, 'app', {
      'moat.yaml': 'name: app\ndependencies: [node@22]\ncommand: [cat, text.txt]\n',
    })
    const head = repository.git('rev-parse', 'main').slice(0, 8)
    writeFileSync(join(repository.directory, 'text.txt'), 'not committed')
    const dirty = `Uncommitted changes in ${repository.directory} stay there; the branch begins at the commit.\n`
    const run = async (branch: string) => {
      const outcome = await sandbox.told(['wt', branch], { cwd: repository.directory })
      return { code: outcome.code, stderr: outcome.stderr.replace(/^Starting .*\n/gm, ''), stdout: outcome.stdout }
    }
    expect(await run('x')).toEqual({
      code: 0,
      stderr: `New branch x from main (${head}).\n${dirty}`,
      stdout: 'main',
    })
    repository.git('switch', '--quiet', '--detach')
    expect(await run('y')).toEqual({
      code: 0,
      stderr: `New branch y from ${head}; HEAD is detached in ${repository.directory}.\n${dirty}`,
      stdout: 'main',
    })
  })
})
