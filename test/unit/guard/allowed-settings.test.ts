// Owns that what a guard has put back is its user's to set again, by their word for these very settings.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import {
  allowSettings,
  forgetAllowed,
  readAllowed,
  refusedFile,
  refusedSettings,
} from '../../../src/guard/allowed-settings.js'
import { askGitApproval } from '../../../src/terminal/git-approval-session.js'
import { caught } from '../config/caught.js'
import { temporaryDirectory } from '../config/temp-directory.js'

let home: string
let root: string
let place: { commonDir: string; gitDir: string; root: string }

beforeEach(async () => {
  const directory = await temporaryDirectory()
  home = join(directory, 'home')
  root = join(directory, 'app')
  place = { commonDir: join(root, '.git'), gitDir: join(root, '.git'), root }
  vi.stubEnv('MOAT_HOME', home)
  onTestFinished(() => void vi.unstubAllEnvs())
  execFileSync('git', ['init', '--quiet', root])
  mkdirSync(dirname(refused()), { recursive: true })
})

const refused = () => refusedFile(place, home, 'config')
const config = () => join(root, '.git/config')
const hooks = { key: 'core.hookspath', value: '.husky/_' }
/** As a guard leaves it. */
function refuse(): void {
  writeFileSync(refused(), `${readFileSync(config(), 'utf8')}[core]\n\thooksPath = .husky/_\n[user]\n\tname = Ann\n`)
}

it('sets what was put back, and nothing else, and remembers it', async () => {
  expect(await refusedSettings(place, home)).toEqual([])
  refuse()
  expect(await refusedSettings(place, home)).toEqual([hooks])
  await allowSettings(place, home, [hooks, { key: 'core.pager', value: '-x' }])
  const get = (key: string) => execFileSync('git', ['config', '--file', config(), key], { encoding: 'utf8' })
  expect([get('core.hooksPath'), get('core.pager')]).toEqual(['.husky/_\n', '-x\n'])
  expect(readFileSync(config(), 'utf8')).not.toContain('Ann')
  expect(readAllowed(place, home)).toContainEqual(hooks)
  expect(await refusedSettings(place, home)).toEqual([])
  expect([forgetAllowed(place, home), forgetAllowed(place, home), readAllowed(place, home)]).toEqual([true, false, []])
})

it.each(['', '[', '[{"key": 1}]', 'null'])('a list that is %j allows nothing', (text) => {
  writeFileSync(join(dirname(refused()), 'config.allowed'), text)
  expect(readAllowed(place, home)).toEqual([])
})

it('asks first', async () => {
  const options = { ask: false, paths: { home }, yes: false }
  expect(await askGitApproval(root, options)).toEqual({ list: [], path: root, settings: [] })
  refuse()
  const error = await caught(() => askGitApproval(root, options))
  expect(error).toMatchObject({ code: 'NOT_APPROVED', suggestions: [`moat approve --git --yes ${root}`] })
  expect(error.message).toContain('core.hookspath  .husky/_')
  expect(readFileSync(config(), 'utf8')).not.toContain('husky')
  expect(await askGitApproval(root, { ...options, yes: true })).toMatchObject({ settings: [hooks] })
  expect(readFileSync(config(), 'utf8')).toContain('husky')
  expect(await caught(() => askGitApproval(home, options))).toMatchObject({ code: 'USAGE' })
})
