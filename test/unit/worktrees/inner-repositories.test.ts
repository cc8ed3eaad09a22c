// Owns that a repository within a checkout, by which `git status` there would run a program, is told of, however it is put there.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { checkoutNotes } from '../../../src/worktrees/checkout-notes.js'
import { innerNotes } from '../../../src/worktrees/inner-repositories.js'
import { beginCheckout, settleCheckout } from '../../../src/worktrees/settle-checkout.js'
import { temporaryDirectory } from '../config/temp-directory.js'

let directory: string
let root: string
let place: { commonDir: string; gitDir: string; root: string }

const git = (at: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-C', at, ...args], { stdio: 'ignore' })

beforeEach(async () => {
  directory = await temporaryDirectory()
  root = join(directory, 'app')
  place = { commonDir: join(root, '.git'), gitDir: join(root, '.git'), root }
  vi.stubEnv('MOAT_HOME', join(directory, 'home'))
  onTestFinished(() => void vi.unstubAllEnvs())
  repository(root)
})

function repository(at: string): void {
  mkdirSync(at, { recursive: true })
  git(at, 'init', '--quiet')
  git(at, 'commit', '--quiet', '--allow-empty', '--message', 'x')
}

/** One that the index of `outer` names, with a trap in it. */
function inner(outer: string, name: string): string {
  const at = join(outer, name)
  repository(at)
  git(outer, 'add', name)
  return at
}

/** Set once the index has it: to add it, git looks into it as well. */
const trap = (at: string) => git(at, 'config', 'core.fsmonitor', `touch ${directory}/pwned; false`)
const told = (file: string, key = 'core.fsmonitor') =>
  expect.stringContaining(`${file} sets ${key}, by which git status in`)

const rows: [string, () => string][] = [
  ['a new one', () => join(inner(root, 'sub'), '.git/config')],
  ['one in another', () => join(inner(inner(root, 'sub'), 'deeper'), '.git/config')],
  [
    'one by a .git file',
    () => {
      const at = inner(root, 'sub')
      renameSync(join(at, '.git'), join(root, 'apart'))
      writeFileSync(join(at, '.git'), 'gitdir: ../apart\n')
      return join(root, 'apart/config')
    },
  ],
  [
    'one that is a link',
    () => {
      const at = inner(root, 'sub')
      renameSync(join(at, '.git'), join(root, 'apart'))
      symlinkSync('../apart', join(at, '.git'))
      return join(root, 'apart/config')
    },
  ],
  [
    'one whose config is elsewhere',
    () => {
      const at = inner(root, 'sub')
      repository(join(root, 'other'))
      writeFileSync(join(at, '.git/commondir'), '../../other/.git\n')
      return join(root, 'other/.git/config')
    },
  ],
]

it.each(rows)('%s, which git status looks into', async (_, make) => {
  const file = make()
  execFileSync('git', ['config', '--file', file, 'core.fsmonitor', `touch ${directory}/pwned; false`])
  expect(await innerNotes(place)).toEqual([told(file)])
  expect(existsSync(join(directory, 'pwned'))).toBe(false)
  git(root, 'status')
  expect(existsSync(join(directory, 'pwned'))).toBe(true)
})

it('is told of before a run, and when one has ended', async () => {
  const home = join(directory, 'home')
  const at = inner(root, 'sub')
  expect(await checkoutNotes(place)).toEqual([])
  await beginCheckout(place, home, 'run', new Set(['run']))
  trap(at)
  git(at, 'config', 'filter.x.clean', 'touch pwned')
  const both = [told(join(at, '.git/config')), told(join(at, '.git/config'), 'filter.x.clean')]
  expect(await settleCheckout(root, home, 'run')).toEqual(both)
  expect(await checkoutNotes(place)).toEqual(both)
  expect(existsSync(join(directory, 'pwned'))).toBe(false)
})

it('is told of where its name is no text', async () => {
  const at = Buffer.concat([Buffer.from(`${root}/sub`), Buffer.from([0xff])])
  repository(join(root, 'sub'))
  renameSync(join(root, 'sub'), at)
  execFileSync('sh', ['-c', 'git add sub*'], { cwd: root, stdio: 'ignore' })
  expect(await innerNotes(place)).toEqual([expect.stringContaining(`${root}/sub\udcff is a repository to git status`)])
})

it.each(['.git', '.git/commondir'])('is told of where %s has a path that is no text', async (name) => {
  const at = inner(root, 'sub')
  if (name === '.git') renameSync(join(at, '.git'), join(root, 'apart'))
  const head = name === '.git' ? 'gitdir: ../' : '../../'
  writeFileSync(join(at, name), Buffer.concat([Buffer.from(head), Buffer.from([0xff, 0x0a])]))
  expect(await innerNotes(place)).toEqual([expect.stringContaining(`${root}/sub is a repository to git status`)])
})

it('is nothing where there is none, or nothing is amiss with it', async () => {
  inner(root, 'sub')
  repository(join(root, 'unknown'))
  trap(join(root, 'unknown'))
  writeFileSync(join(inner(root, 'broken'), '.git/HEAD'), '')
  expect(await innerNotes(place)).toEqual([])
  expect(await innerNotes({ commonDir: place.commonDir, gitDir: place.gitDir })).toEqual([])
})
