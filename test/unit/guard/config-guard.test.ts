// Owns that what an agent makes of a repository's config is put back, whatever it puts in its place, and that ordinary work is let be.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { allowSettings, refusedSettings } from '../../../src/guard/allowed-settings.js'
import { ConfigGuard } from '../../../src/guard/config-guard.js'
import { viewDirectory } from '../../../src/worktrees/container-view.js'
import { until } from '../../helpers/until.js'

let directory: string
let git: string
let home: string
let guard: ConfigGuard
let alarms: string[]
let held: number
let kept: number
let goesOn: number
/** By the time that the agent goes on for the first time. */
let keptBefore: number
let stops: number
/** How long the engine takes to pause. */
let pausing: Promise<void>
/** What happens while agents are being paused. */
let meanwhile: () => void

const config = () => join(git, 'config')
const read = () => readFileSync(config(), 'utf8')
const set = (...args: string[]) => execFileSync('git', ['config', '--file', config(), ...args])

beforeEach(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'moat-guard-')))
  home = join(directory, 'home')
  git = join(directory, 'app', '.git')
  execFileSync('git', ['init', '--quiet', join(directory, 'app')])
  mkdirSync(viewDirectory(home, git), { recursive: true })
  writeFileSync(join(git, 'config.worktree'), '')
  alarms = []
  held = 0
  kept = 0
  goesOn = 0
  stops = 0
  pausing = Promise.resolve()
  meanwhile = () => {}
  guard = await ConfigGuard.begin({
    agent: {
      goOn: () => {
        if (goesOn === 0) keptBefore = kept
        goesOn += 1
      },
      stop: () => {
        stops += 1
      },
    },
    home,
    log: (message) => alarms.push(`log: ${message}`),
    place: { commonDir: git, gitDir: git, root: join(directory, 'app') },
    raise: async (text) => void alarms.push(text),
    whileHeld: async (action) => {
      held += 1
      meanwhile()
      await pausing
      await action(() => {
        kept += 1
      })
    },
  })
})
afterEach(async () => {
  await guard.close()
  rmSync(directory, { recursive: true })
})

it('looks by itself, and lets ordinary changes be', async () => {
  set('branch.main.remote', '.')
  await until('a look', () => held > 0)
  await guard.look()
  expect([kept, alarms, read().includes('remote = .')]).toEqual([0, [], true])
})

it('puts back what names a program, at once, with what was accepted meanwhile, and keeps what it said', async () => {
  set('user.email', 'ann@host.example')
  await guard.look()
  const [before, { mode }] = [read(), statSync(config())]
  linkSync(config(), join(git, 'same'))
  set('core.fsmonitor', 'touch pwned')
  writeFileSync(join(git, 'config.lock'), '')
  await guard.look()
  writeFileSync(join(git, 'same'), 'evil')
  expect([read(), statSync(config()).mode, kept]).toEqual([before, mode, 1])
  expect(alarms).toEqual([expect.stringContaining(`${config()} had core.fsmonitor in it, maybe from an agent`)])
  expect(readFileSync(join(viewDirectory(home, git), 'config.refused'), 'utf8')).toContain('touch pwned')
  await guard.look()
  expect(alarms).toHaveLength(1)
})

it('sees what is written while agents are being paused', async () => {
  const before = read()
  meanwhile = () => {
    meanwhile = () => {}
    set('alias.st', '!evil')
  }
  set('user.name', 'Ann')
  await guard.look()
  expect([read(), kept]).toEqual([before, 1])
})

it('lets no remote be led elsewhere by way of its absence', async () => {
  set('remote.origin.url', 'https://example.com/app.git')
  await guard.look()
  set('--remove-section', 'remote.origin')
  await guard.look()
  set('remote.origin.url', 'https://evil.example/app.git')
  await guard.look()
  expect([kept, read().includes('evil')]).toEqual([1, false])
})

it('looks at config.worktree too', async () => {
  const file = join(git, 'config.worktree')
  writeFileSync(file, '[core]\n\tsparseCheckout = true\n')
  await guard.look()
  writeFileSync(file, '[core]\n\tsshCommand = evil\n')
  await guard.look()
  expect([readFileSync(file, 'utf8'), kept]).toEqual(['[core]\n\tsparseCheckout = true\n', 1])
})

const elsewhere = () => join(directory, 'elsewhere')
it.each<[string, () => void]>([
  ['nothing', () => {}],
  ['a directory', () => mkdirSync(join(config(), 'full'), { recursive: true })],
  ['a link', () => symlinkSync(elsewhere(), config())],
  ['a pipe', () => execFileSync('mkfifo', [config()])],
  ['no config', () => writeFileSync(config(), '[core')],
])('puts the config in the place of %s', async (_, put) => {
  const before = read()
  rmSync(config())
  put()
  await guard.look()
  expect([read(), kept, existsSync(elsewhere())]).toEqual([before, 1, false])
  expect(alarms).toEqual([expect.stringContaining('had what git cannot read in it')])
})

it('tells of a directory whose mount has ended', async () => {
  rmSync(join(git, 'hooks'), { recursive: true })
  mkdirSync(join(git, 'hooks'))
  await guard.look()
  expect([kept, alarms]).toEqual([1, [expect.stringContaining(`${join(git, 'hooks')} was replaced on this machine`)]])
})

it.each(['config.lock', 'config.worktree.lock'])('has its agent stopped as soon as git takes %s', async (lock) => {
  writeFileSync(join(git, lock), '')
  await until('a stop', () => stops > 0)
  rmSync(join(git, lock))
  await until('going on', () => goesOn > 0)
  expect([held, alarms]).toEqual([0, []])
})

it.each<[string, () => void]>([
  ['by its name', () => set('alias.st', '!evil')],
  [
    'by another name, of which nobody tells',
    () => {
      const link = join(mkdtempSync(join(git, 'x')), 'same')
      linkSync(config(), link)
      writeFileSync(link, '[alias]\n\tst = !evil\n')
    },
  ],
])('puts back what is written %s before anybody has been paused', async (_, write) => {
  // The host has changed it, and its mount is gone.
  set('user.name', 'Ann')
  await guard.look()
  const before = read()
  let pause = () => {}
  pausing = new Promise((resolve) => {
    pause = resolve
  })
  try {
    write()
    await until('the config put back', () => read() === before)
    expect([stops > 0, alarms]).toEqual([true, []])
    write()
    await until('the config put back again', () => read() === before)
  } finally {
    pause()
  }
  await until('an alarm', () => alarms.length > 0)
  expect([kept, alarms[0]]).toEqual([1, expect.stringContaining('had alias.st in it')])
  expect(readFileSync(join(viewDirectory(home, git), 'config.refused'), 'utf8')).toContain('!evil')
})

it('lets be what its user has said is theirs, with that value and no other', async () => {
  set('core.hooksPath', '.husky/_')
  await guard.look()
  const place = { commonDir: git, gitDir: git, root: join(directory, 'app') }
  vi.stubEnv('MOAT_HOME', home)
  onTestFinished(() => void vi.unstubAllEnvs())
  expect([kept, alarms[0]]).toEqual([1, expect.stringContaining(`If that was you: moat approve --git ${place.root}`)])
  await allowSettings(place, home, await refusedSettings(place, home))
  await guard.look()
  expect([kept, alarms.length, read().includes('.husky/_')]).toEqual([1, 1, true])
  set('core.hooksPath', 'evil')
  await guard.look()
  expect([kept, read().includes('evil'), read().includes('.husky/_')]).toEqual([2, false, true])
})

it('has its agent stay stopped until an engine that could not pause it can', async () => {
  let failures = 0
  meanwhile = () => {
    failures += 1
    if (failures <= 3) throw new Error('unable to freeze')
  }
  set('alias.st', '!evil')
  await until('going on', () => goesOn > 0)
  expect([alarms[0], keptBefore]).toEqual(['log: unable to freeze', 1])
})
