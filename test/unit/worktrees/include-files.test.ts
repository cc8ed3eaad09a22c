// Ignored files that come along into a worktree, with real checkouts by a real git. Links lead only to what is in the test's directory.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { includeFiles, includeNotes } from '../../../src/worktrees/include-files.js'

let base: string
let from: string
let to: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'moat-include-'))
  from = join(base, 'from')
  to = join(base, 'to')
  mkdirSync(from)
  git('init', '--quiet')
  files({ '.gitignore': '.env\n*.local\nnode_modules/\nconfig/\n/link*\npipe\n', 'src/a.ts': 'a' })
  git('add', '.')
  git('commit', '--quiet', '--message', 'One')
})
afterEach(() => rmSync(base, { force: true, recursive: true }))

function git(...args: string[]): void {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  execFileSync('git', ['-c', 'user.name=Ann', '-c', 'user.email=ann@host.example', ...args], {
    cwd: from,
    env,
    stdio: 'pipe',
  })
}

function files(all: Record<string, string>, directory = from): void {
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
}

const include = (patterns: string[] = [], withFile = true) => includeFiles({ from, patterns, to, withFile })

test('brings what is ignored and listed, with its mode, and nothing else', async () => {
  files({
    '.env': 'SECRET=1',
    '.worktreeinclude': '.env\nconfig/local/\n*.ts\nuntracked\n',
    'a.local': 'a',
    'config/local/x.json': '{}',
    'config/other.json': '{}',
    'node_modules/p/.env': 'of a package',
    untracked: 'not ignored',
  })
  chmodSync(join(from, '.env'), 0o600)
  git('worktree', 'add', '--quiet', to, '-b', 'other')
  expect(await include()).toEqual({ copied: ['.env', 'config/local/x.json'], kept: [], refused: [] })
  expect(readFileSync(join(to, '.env'), 'utf8')).toBe('SECRET=1')
  expect(statSync(join(to, '.env')).mode & 0o777).toBe(0o600)
  expect(
    ['a.local', 'config/other.json', 'node_modules', 'untracked'].filter((path) => existsSync(join(to, path))),
  ).toEqual([])
  // What was typed goes by the same rules; what is there stays.
  files({ '.env': 'changed there' }, to)
  const typed = await include(['*.local', '.env'], false)
  expect(typed).toEqual({ copied: ['a.local'], kept: ['.env'], refused: [] })
  expect(includeNotes(typed, ['*.local', '.env'])).toEqual([
    'Brought along, although git ignores it: a.local.',
    'Left as it is in the worktree: .env.',
  ])
  // The file of a checkout lists for all of its worktrees.
  expect(includeNotes(typed)).toEqual(['Brought along, although git ignores it: a.local.'])
  const nothing = await include(['src/a.ts', 'none'], false)
  expect(includeNotes(nothing, ['src/a.ts', 'none'])).toEqual([
    'Nothing was brought along: git ignores no file here that src/a.ts, none means.',
  ])
  expect(includeNotes(nothing)).toEqual([])
  expect(readFileSync(join(to, '.env'), 'utf8')).toBe('changed there')
})

test('a directory that is listed comes whole, however many files it has', async () => {
  files({ 'node_modules/p/index.js': 'p', 'node_modules/p/.env': 'of a package', '.worktreeinclude': 'node_modules\n' })
  symlinkSync('p', join(from, 'node_modules/q'))
  git('worktree', 'add', '--quiet', to, '-b', 'other')
  expect((await include()).copied).toEqual(['node_modules/p/.env', 'node_modules/p/index.js', 'node_modules/q'])
  expect(readlinkSync(join(to, 'node_modules/q'))).toBe('p')
})

test('brings no link that leads out of the repository, and goes through none', async () => {
  files({ secret: 'host' }, join(base, 'outside'))
  files({ '.worktreeinclude': '/link*\nconfig\npipe\n' })
  symlinkSync(join(base, 'outside/secret'), join(from, 'link-absolute'))
  symlinkSync('../outside/secret', join(from, 'link-up'))
  symlinkSync('link-up', join(from, 'link-on'))
  symlinkSync('src/a.ts', join(from, 'link-inside'))
  symlinkSync('../outside', join(from, 'config'))
  execFileSync('mkfifo', [join(from, 'pipe')])
  git('worktree', 'add', '--quiet', to, '-b', 'other')
  const included = await include()
  expect(included.copied).toEqual(['link-inside'])
  // `config/` is ignored, and a link of that name is not.
  expect(included.refused.map(({ path }) => path).toSorted()).toEqual(['link-absolute', 'link-on', 'link-up', 'pipe'])
  expect(includeNotes(included)).toContain(
    'Not brought along: link-up: it is a link that leads out of the repository, to ../outside/secret.',
  )
})

test('writes nowhere else, where the branch has a link in the place of a directory', async () => {
  mkdirSync(join(base, 'outside'))
  files({ 'sub/.env': 'SECRET=1', '.worktreeinclude': '.env\n' })
  git('worktree', 'add', '--quiet', to, '-b', 'other')
  symlinkSync(join(base, 'outside'), join(to, 'sub'))
  expect(await include()).toEqual({
    copied: [],
    kept: [],
    refused: [{ path: 'sub/.env', why: 'the worktree has a link, or no directory, on the way' }],
  })
  expect(existsSync(join(base, 'outside/.env'))).toBe(false)
})
