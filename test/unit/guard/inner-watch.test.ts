// Owns that a program which an agent has `git status` find in a repository within the checkout is out of there while the agent works.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { InnerWatch } from '../../../src/guard/inner-watch.js'
import { viewDirectory } from '../../../src/worktrees/container-view.js'
import { until } from '../../helpers/until.js'
import { temporaryDirectory } from '../config/temp-directory.js'

let directory: string
let root: string
let alarms: string[]
let kept: number
let watch: InnerWatch | undefined

beforeEach(async () => {
  directory = await temporaryDirectory()
  root = join(directory, 'app')
  vi.stubEnv('MOAT_HOME', join(directory, 'home'))
  onTestFinished(() => void vi.unstubAllEnvs())
  alarms = []
  kept = 0
  repository(root)
  mkdirSync(viewDirectory(join(directory, 'home'), join(root, '.git')), { recursive: true })
})
afterEach(() => watch?.close())

const git = (at: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-C', at, ...args], { encoding: 'utf8' })

function repository(at: string): string {
  mkdirSync(at, { recursive: true })
  git(at, 'init', '--quiet')
  git(at, 'commit', '--quiet', '--allow-empty', '--message', 'x')
  return at
}

/** One that the index names. */
function inner(name: string): string {
  const at = repository(join(root, name))
  execFileSync('git', ['-C', root, 'add', name], { stdio: 'ignore' })
  return at
}
const pwned = () => join(directory, 'pwned')
const trap = (at: string) => git(at, 'config', 'core.fsmonitor', `touch ${pwned()}; false`)
const text = (at: string) => readFileSync(join(at, '.git/config'), 'utf8')

async function begin(): Promise<void> {
  const place = { commonDir: join(root, '.git'), gitDir: join(root, '.git'), root }
  watch = await InnerWatch.begin({
    home: join(directory, 'home'),
    log: (message) => alarms.push(`log: ${message}`),
    place,
    raise: async (said) => void alarms.push(said),
    whileHeld: (action) =>
      action(() => {
        kept += 1
      }),
  })
}

it('of a new one', async () => {
  await begin()
  const at = inner('sub')
  git(at, 'config', 'user.email', 'mine@host.example')
  trap(at)
  await until('an alarm', () => alarms.length > 0)
  git(root, 'status')
  expect([existsSync(pwned()), kept, text(at).includes('mine@host.example')]).toEqual([false, 1, true])
  expect(alarms).toEqual([
    expect.stringContaining(`${join(at, '.git/config')} had core.fsmonitor set, maybe by an agent`),
  ])
  const own = viewDirectory(join(directory, 'home'), join(root, '.git'))
  const [aside = ''] = readdirSync(own).filter((name) => name.endsWith('.refused'))
  expect(alarms[0]).toContain(`cp ${join(own, aside)} ${join(at, '.git/config')}`)
  expect(readFileSync(join(own, aside), 'utf8')).toContain('fsmonitor')
  // Whoever sets it again has been told.
  trap(at)
  await watch?.look()
  expect(alarms).toHaveLength(1)
})

it('of what was there before nothing is touched but what changes', async () => {
  const at = inner('sub')
  git(at, 'config', 'core.fsmonitor', 'mine')
  await begin()
  await watch?.look()
  expect([alarms, text(at).includes('fsmonitor = mine')]).toEqual([[], true])
  trap(at)
  await watch?.look()
  expect([kept, text(at).includes('fsmonitor')]).toEqual([1, false])
})

it('one that lies elsewhere is told of, and left as it is', async () => {
  await begin()
  const at = inner('sub')
  const elsewhere = join(directory, 'elsewhere')
  renameSync(join(at, '.git'), elsewhere)
  writeFileSync(join(at, '.git'), `gitdir: ${elsewhere}\n`)
  execFileSync('git', ['config', '--file', join(elsewhere, 'config'), 'filter.x.clean', 'evil'])
  await until('an alarm', () => alarms.length > 0)
  expect(alarms).toEqual([expect.stringMatching(/filter\.x\.clean.* moat has left it as it is/)])
  expect([kept, readFileSync(join(elsewhere, 'config'), 'utf8').includes('evil')]).toEqual([1, true])
})

it('one that no index names is none of git’s', async () => {
  await begin()
  trap(repository(join(root, 'sub')))
  await watch?.look()
  expect(alarms).toEqual([])
})
