// Snapshots of real directories by a real git: what is in them, what they leave alone, and what an agent may have put in their way.
//
// These tests may run as root: links lead only to what is in the test's own directory.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HeldDirectory } from '../../../src/config/held-directory.js'
import { beforeRun, onDemand, whileRunning } from '../../../src/snapshots/limits.js'
import { pictureOf } from '../../../src/snapshots/picture.js'
import { previewRestore, restoreSnapshot } from '../../../src/snapshots/restore.js'
import { surplus, surplusOfEach } from '../../../src/snapshots/retention.js'
import {
  chosenSnapshot,
  openStore,
  pruneSnapshots,
  takeIfChanged,
  takeSnapshot,
  treeOf,
} from '../../../src/snapshots/snapshots.js'
import { workspaceGit } from '../../../src/worktrees/workspace-git.js'
import { picture } from '../../helpers/picture.js'
import { caught } from '../config/caught.js'

let base: string
let workspace: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'moat-snapshots-'))
  workspace = join(base, 'workspace')
  mkdirSync(workspace)
  vi.stubEnv('MOAT_HOME', paths().home)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  execFileSync('chmod', ['-R', 'u+rwx', base])
  rmSync(base, { force: true, recursive: true })
})

const paths = () => ({ home: join(base, 'home'), snapshots: join(base, 'home/snapshots') })
const store = (directory = workspace) => openStore(paths(), directory)
const demand = { limits: onDemand, reason: 'demand' } as const

/** Files below the workspace, by their paths. */
function files(all: Record<string, string>, directory = workspace): void {
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
}

function git(...args: string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  const identity = ['-c', 'user.name=Ann', '-c', 'user.email=ann@host.example']
  return execFileSync('git', [...identity, ...args], { cwd: workspace, encoding: 'utf8', env, stdio: 'pipe' })
}

const names = async () => {
  const own = await store()
  const { entries } = await treeOf(own, await chosenSnapshot(own, undefined))
  return [...entries.keys()].toSorted()
}

test('has what git does not ignore, and leaves ignored files and git itself as they are', async () => {
  git('init', '--quiet')
  files({ '.gitignore': '.env\nnode_modules/\n*.log\n', 'kept.log': 'kept', 'src/a.ts': 'one' })
  git('add', '--force', '.')
  git('commit', '--quiet', '--message', 'One')
  files({ '.env': 'SECRET=1', 'node_modules/x/index.js': 'x', 'new.txt': 'untracked', 'other.log': 'log' })
  const before = picture(join(workspace, '.git'))
  const own = await store()
  const { snapshot } = await takeSnapshot(own, demand)
  expect(await names()).toEqual(['.gitignore', 'kept.log', 'new.txt', 'src', 'src/a.ts'])
  expect(snapshot).toMatchObject({ files: 4, id: 1, left: 0, reason: 'demand', workspace })

  files({ '.env': 'SECRET=2', 'node_modules/x/index.js': 'y', 'other.log': 'more', 'src/b.ts': 'two' })
  rmSync(join(workspace, 'src/a.ts'))
  rmSync(join(workspace, 'kept.log'))
  // What an agent writes there hides nothing, and has nothing that was ignored removed.
  files({ '.gitignore': 'src/\nnew.txt\nkept.log\n', 'new.txt': 'spoilt' })
  await restoreSnapshot(own, snapshot)
  expect(picture(join(workspace, '.git'))).toEqual(before)
  const read = (path: string) => readFileSync(join(workspace, path), 'utf8')
  expect(['.env', 'node_modules/x/index.js', 'other.log', 'src/a.ts', 'new.txt', 'kept.log'].map(read)).toEqual([
    ...['SECRET=2', 'y', 'more', 'one', 'untracked', 'kept'],
  ])
  // Of a directory that is ignored by now nothing is removed: no snapshot has it.
  expect(read('src/b.ts')).toBe('two')
})

test('keeps bytes, whatever attributes, filters and hooks there are', async () => {
  git('init', '--quiet')
  const ran = join(base, 'ran')
  for (const hook of ['post-index-change', 'reference-transaction', 'post-checkout', 'pre-commit']) {
    writeFileSync(join(workspace, '.git/hooks', hook), `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 })
  }
  git('config', 'filter.evil.clean', `touch ${ran}; cat`)
  git('config', 'filter.evil.smudge', `touch ${ran}; cat`)
  git('config', 'core.fsmonitor', `touch ${ran}`)
  git('config', 'core.autocrlf', 'true')
  const attributes = '* text=auto eol=crlf ident filter=evil working-tree-encoding=UTF-16\n'
  files({ '.gitattributes': attributes, 'a.txt': 'a\r\nb\n$Id$\n', bin: '\0\xff\r\n' })
  files({
    'sub/.git/HEAD': 'ref: refs/heads/main\n',
    'sub/a.txt': 'inner',
    'sub/.git/config': `[core]\nfsmonitor = "touch ${ran}"\n`,
  })
  for (const name of ['objects', 'refs']) mkdirSync(join(workspace, 'sub/.git', name))
  const before = picture(workspace)
  const own = await store()
  const { snapshot } = await takeSnapshot(own, demand)
  for (const path of ['a.txt', 'bin', 'sub/a.txt', '.gitattributes']) writeFileSync(join(workspace, path), 'gone')
  await restoreSnapshot(own, snapshot)
  expect(picture(workspace)).toEqual(before)
  expect(await names()).toEqual(['.gitattributes', 'a.txt', 'bin', 'sub', 'sub/a.txt'])
  expect(existsSync(ran)).toBe(false)
})

test('keeps modes, links, empty directories, names that are no text, and lends nobody rights', async () => {
  files({ 'a/run': 'x', private: 'p' })
  chmodSync(join(workspace, 'a/run'), 0o4755)
  chmodSync(join(workspace, 'private'), 0o600)
  mkdirSync(join(workspace, 'empty/inner'), { mode: 0o711, recursive: true })
  symlinkSync('../nowhere', join(workspace, 'link'))
  symlinkSync('private', join(workspace, '.gitmodules'))
  const odd = Buffer.from(`${workspace}/\xff\n"\\`, 'latin1')
  writeFileSync(odd, 'odd')
  const before = picture(workspace)
  const own = await store()
  const { snapshot } = await takeSnapshot(own, demand)
  for (const path of ['a', 'private', 'empty', 'link', '.gitmodules'])
    rmSync(join(workspace, path), { recursive: true })
  rmSync(odd)
  await restoreSnapshot(own, snapshot)
  expect(picture(workspace)).toEqual({ ...before, 'a/run': before['a/run']?.replace('4755', '755') })
})

test('is undone by the snapshot before it, and a file that is not changed is not written', async () => {
  files({ a: '1', b: '1' })
  const own = await store()
  const { snapshot } = await takeSnapshot(own, demand)
  const { ino } = statSync(join(workspace, 'b'))
  files({ a: '2', c: '2' })
  const { changes, undo } = await restoreSnapshot(own, snapshot)
  expect(changes).toEqual([
    { change: 'changed', path: 'a' },
    { change: 'removed', path: 'c' },
  ])
  expect(statSync(join(workspace, 'b')).ino).toBe(ino)
  await restoreSnapshot(own, undo)
  expect(readFileSync(join(workspace, 'a'), 'utf8')).toBe('2')
  expect(existsSync(join(workspace, 'c'))).toBe(true)
})

test('of an ordinary user, goes into directories that are closed, and leaves what cannot be read', async () => {
  chmodSync(base, 0o777)
  // Root may do anything. In the end it is root that cleans up.
  const root = process.geteuid?.() === 0
  if (root) {
    process.setegid?.(65_534)
    process.seteuid?.(65_534)
  }
  try {
    const place = join(base, 'theirs')
    const set = (modes: Record<string, number>) => {
      for (const [path, mode] of Object.entries(modes)) chmodSync(join(place, path), mode)
    }
    files({ 'closed/x': 'x', 'ro/b': 'b', 'ro/in/a': 'a' }, place)
    set({ 'ro/b': 0o400, 'ro/in': 0o555, ro: 0o555, closed: 0 })
    const own = await store(place)
    const { snapshot } = await takeSnapshot(own, demand)
    set({ closed: 0o700 })
    const before = picture(place)
    set({ ro: 0o755, 'ro/in': 0o755 })
    rmSync(join(place, 'ro/b'))
    files({ 'ro/d/y': '', 'ro/in/a': 'changed', 'ro/in/new': '' }, place)
    set({ 'ro/in': 0o500, 'ro/d': 0o500, ro: 0o500 })
    const { failed, undo } = await restoreSnapshot(own, snapshot)
    expect(failed).toEqual([])
    expect({ ...picture(place), closed: before.closed }).toEqual(before)
    expect((await restoreSnapshot(own, undo)).failed).toEqual([])
  } finally {
    if (root) {
      process.seteuid?.(0)
      process.setegid?.(0)
    }
  }
})

test('goes through no link, wherever an agent puts one', async () => {
  files({ secret: 'host', 'dir/x': 'host' }, join(base, 'outside'))
  files({ 'a/b/c': 'mine', 'd/e': 'mine', f: 'mine' })
  const own = await store()
  const { snapshot } = await takeSnapshot(own, demand)
  const outside = picture(join(base, 'outside'))
  rmSync(join(workspace, 'a/b'), { recursive: true })
  symlinkSync(join(base, 'outside/dir'), join(workspace, 'a/b'))
  rmSync(join(workspace, 'd'), { recursive: true })
  symlinkSync(join(base, 'outside'), join(workspace, 'd'))
  rmSync(join(workspace, 'f'))
  symlinkSync(join(base, 'outside/secret'), join(workspace, 'f'))
  const { scanned } = await takeSnapshot(own, demand)
  expect([...scanned.entries.keys()].toSorted()).toEqual(['a', 'a/b', 'd', 'f'])
  expect((await restoreSnapshot(own, snapshot)).failed).toEqual([])
  expect(['a/b/c', 'd/e', 'f'].map((path) => readFileSync(join(workspace, path), 'utf8'))).toEqual([
    'mine',
    'mine',
    'mine',
  ])
  expect(picture(join(base, 'outside'))).toEqual(outside)
})

test('a directory replaced by a link between a look and its use is not entered, read from or written to', async () => {
  files({ secret: 'host' }, join(base, 'outside'))
  files({ 'a/x': 'mine', 'a/y': 'mine' })
  const own = await store()
  const { snapshot } = await takeSnapshot(own, demand)
  let moved = 0
  const replace = () => {
    moved += 1
    renameSync(join(workspace, 'a'), join(base, `moved-${moved}`))
    symlinkSync(join(base, 'outside'), join(workspace, 'a'))
  }
  // As an agent that acts at the worst moment: after the directory was opened, before anything in it is.
  const { child } = HeldDirectory.prototype
  vi.spyOn(HeldDirectory.prototype, 'child').mockImplementation(function (this: HeldDirectory, name: string) {
    const held = child.call(this, name)
    if (name === 'a') replace()
    return held
  })
  const outside = picture(join(base, 'outside'))
  await takeSnapshot(own, demand)
  expect(await names()).toEqual(['a', 'a/x', 'a/y'])
  const before = moved
  rmSync(join(workspace, 'a'))
  files({ 'a/x': 'changed', 'a/y': 'changed' })
  await restoreSnapshot(own, snapshot)
  expect(moved).toBeGreaterThan(before)
  expect(picture(join(base, 'outside'))).toEqual(outside)
  expect(Object.keys(picture(join(base, 'moved-1')))).toEqual(['x', 'y'])
})

test('names pipes, sockets and what git takes for its own, and waits for none', async () => {
  files({ a: 'x', '.gitignore': 'ignored\n', '.GIT/config': 'x' })
  execFileSync('mkfifo', [join(workspace, 'pipe'), join(workspace, 'ignored')])
  mkdirSync(join(workspace, 'dir'))
  execFileSync('mkfifo', [join(workspace, 'dir/.gitignore')])
  const own = await store()
  const { scanned, snapshot } = await takeSnapshot(own, demand)
  expect([...scanned.left]).toEqual(
    expect.arrayContaining([
      ['pipe', 'a pipe'],
      ['dir/.gitignore', 'a pipe'],
      ['.GIT', 'git takes it for its own'],
    ]),
  )
  expect(scanned.left.size).toBe(3)
  // One in the place of a file makes room for it; others stay.
  rmSync(join(workspace, 'a'))
  execFileSync('mkfifo', [join(workspace, 'a')])
  expect((await restoreSnapshot(own, snapshot)).failed).toEqual([])
  expect(readFileSync(join(workspace, 'a'), 'utf8')).toBe('x')
  expect(lstatSync(join(workspace, 'pipe')).isFIFO()).toBe(true)
})

test('a directory with ignored files in it is not removed for a file, and that is told', async () => {
  files({ '.gitignore': '*.log\n', data: 'file' })
  const own = await store()
  const { snapshot } = await takeSnapshot(own, demand)
  rmSync(join(workspace, 'data'))
  files({ 'data/x.log': 'log', 'data/y': 'y' })
  const { failed } = await restoreSnapshot(own, snapshot)
  expect(failed).toEqual([{ path: 'data', why: 'a directory with ignored files is there now' }])
  expect(readFileSync(join(workspace, 'data/x.log'), 'utf8')).toBe('log')
})

test('two worktrees share a store, and have nothing to do with each other', async () => {
  git('init', '--quiet')
  files({ a: 'shared' })
  git('add', '.')
  git('commit', '--quiet', '--message', 'One')
  const other = join(base, 'other')
  git('worktree', 'add', '--quiet', other, '-b', 'other')
  const [one, two] = [await store(), await store(other)]
  expect(one.directory).toBe(two.directory)
  const { snapshot } = await takeSnapshot(one, demand)
  await takeSnapshot(two, demand)
  files({ a: 'one' })
  files({ a: 'two', b: 'two' }, other)
  await restoreSnapshot(one, snapshot)
  expect(readFileSync(join(workspace, 'a'), 'utf8')).toBe('shared')
  expect(readFileSync(join(other, 'a'), 'utf8')).toBe('two')
  expect([(await one.list()).length, (await two.list()).length]).toEqual([2, 1])
  // An agent that removes .git does not have its snapshots forgotten.
  rmSync(join(workspace, '.git'), { recursive: true })
  expect((await (await store()).list()).length).toBe(2)
  await pruneSnapshots(one, 0)
  expect([(await one.list()).length, (await two.list()).length]).toEqual([0, 1])
  await restoreSnapshot(two, await chosenSnapshot(two, undefined))
  expect(readFileSync(join(other, 'a'), 'utf8')).toBe('shared')
})

test('reads again only what was touched, also by who sets the time of a file back', async () => {
  files({ a: 'one', b: 'one' })
  const own = await store()
  await takeSnapshot(own, demand)
  const times = statSync(join(workspace, 'a'))
  writeFileSync(join(workspace, 'a'), 'two')
  execFileSync('touch', ['-d', times.mtime.toISOString(), join(workspace, 'a')])
  const { snapshot } = await takeSnapshot(own, demand)
  writeFileSync(join(workspace, 'a'), 'three')
  await restoreSnapshot(own, snapshot)
  expect(readFileSync(join(workspace, 'a'), 'utf8')).toBe('two')
})

test('of a workspace that is too large there is none, and a large file is named', async () => {
  files({ a: 'x', b: 'x', c: 'xxxx' })
  const own = await store()
  const tooMany = await caught(() => takeSnapshot(own, { ...demand, limits: { ...beforeRun, entries: 2 } }))
  expect(tooMany).toMatchObject({ code: 'SNAPSHOT_FAILED', message: expect.stringContaining('more than 2 files') })
  expect(await own.list()).toEqual([])
  const { scanned } = await takeSnapshot(own, { ...demand, limits: { ...beforeRun, file: 3 } })
  expect([...scanned.left.keys()]).toEqual(['c'])
})

test('is compared with what is there now, and damage of the store is told', async () => {
  files({ a: 'x', 'dir/b': 'x' })
  const own = await store()
  const { snapshot } = await takeSnapshot(own, demand)
  rmSync(join(workspace, 'dir'), { recursive: true })
  files({ c: 'x' })
  const { changes } = await previewRestore(own, snapshot)
  expect(changes.map(({ change, path }) => `${change} ${path}`)).toEqual(['removed c', 'added dir/b'])
  rmSync(join(own.directory, 'objects/pack'), { recursive: true })
  expect(await caught(() => restoreSnapshot(own, snapshot))).toMatchObject({ code: 'SNAPSHOT_FAILED' })
  expect(await caught(() => chosenSnapshot(own, 9))).toMatchObject({ code: expect.stringMatching(/^SNAPSHOT_/) })
})

test('keeps as many as are wanted, and drops first what only says the same again', () => {
  const all = [
    { id: 1, reason: 'run', tree: 'a' },
    { id: 2, reason: 'demand', tree: 'b' },
    { id: 3, reason: 'run', tree: 'b' },
    { id: 4, reason: 'run', tree: 'b' },
    { id: 5, reason: 'run', tree: 'c' },
  ] as const
  const dropped = (keep: number) => surplus(all, keep).map(({ id }) => id)
  expect(dropped(5)).toEqual([])
  expect(dropped(4)).toEqual([3])
  expect(dropped(3)).toEqual([1, 3])
  expect(dropped(1)).toEqual([1, 2, 3, 4])
})

test('what an agent brings about drops only others of that kind', () => {
  const reasons = ['run', 'demand', 'commit', 'idle', 'commit', 'restore', 'commit'] as const
  const all = reasons.map((reason, index) => ({ id: index + 1, reason, tree: `${index}` }))
  const dropped = (keep: number) => surplusOfEach(all, keep).map(({ id }) => id)
  expect(dropped(4)).toEqual([])
  expect(dropped(3)).toEqual([3])
  expect(dropped(2)).toEqual([1, 3, 4])
  const many = [
    ...all,
    ...Array.from({ length: 50 }, (_, index) => ({ id: 8 + index, reason: 'commit' as const, tree: 'x' })),
  ]
  expect(surplusOfEach(many, 3).every(({ reason }) => reason === 'commit' || reason === 'idle')).toBe(true)
})

test('one that is only for what has changed is not taken where nothing has, and looks are cheap and tell', async () => {
  files({ '.gitignore': '*.log\n', 'dir/a': 'one' })
  const own = await store()
  const options = { limits: whileRunning, reason: 'idle' } as const
  const rules = async () => (await workspaceGit(workspace)).rules
  const look = async () => pictureOf(workspace, await rules())
  expect(await takeIfChanged(own, options)).toMatchObject({ snapshot: { id: 1, reason: 'idle' } })
  writeFileSync(join(workspace, 'dir/a'), 'one')
  expect(await takeIfChanged(own, options)).toBeUndefined()
  const settled = await look()
  files({ 'dir/x.log': 'ignored' })
  expect(await look()).toBe(settled)
  chmodSync(join(workspace, 'dir/a'), 0o600)
  expect(await look()).not.toBe(settled)
  expect(await takeIfChanged(own, options)).toMatchObject({ snapshot: { id: 2 } })
  expect(await own.list()).toHaveLength(2)
})

test('nobody else can read the store, and there is none of moat itself', async () => {
  files({ a: 'x' })
  const own = await store()
  await takeSnapshot(own, demand)
  expect(statSync(own.directory).mode & 0o077).toBe(0)
  expect(await caught(() => store(base))).toMatchObject({ code: 'MOAT_HOME_EXPOSED' })
  expect(await caught(() => store(join(base, 'home/proxy')))).toMatchObject({ code: 'MOAT_HOME_EXPOSED' })
})
