// Owns what a review finds: whatever a run has done to files that its user's tools run or trust.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { shellQuote } from '../../../src/config/shell-quote.js'
import { rememberStart, reviewableRuns, reviewRun } from '../../../src/review/review.js'
import { readRunRecord, writeRunRecord } from '../../../src/review/run-records.js'
import { survey, surveyLimits } from '../../../src/review/survey.js'
import { formatReview } from '../../../src/terminal/format-review.js'
import { until } from '../../helpers/until.js'
import { asOrdinaryUser } from '../config/as-user.js'
import { caught } from '../config/caught.js'
import { temporaryDirectory } from '../config/temp-directory.js'

let reviews: string
let workspace: string
const name = 'app'
const runId = 'run_0123456789ab'

beforeEach(async () => {
  const directory = await temporaryDirectory()
  reviews = join(directory, 'reviews')
  workspace = join(directory, 'äpp')
  await chmod(directory, 0o755)
  await mkdir(workspace)
  await write('readme.md', 'text')
  await write('package.json', '{"scripts": {"test": "vitest"}, "version": "1"}')
  await write('.vscode/settings.json', '{}')
  await write('bin/tool', '#!/bin/sh\n')
  await chmod(join(workspace, 'bin/tool'), 0o755)
  await write('plain', 'x')
  await writeFile(odd('old'), '#!', { mode: 0o755 })
  await symlink('readme.md', join(workspace, 'inner'))
})

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(workspace, path)), { recursive: true })
  await writeFile(join(workspace, path), text)
}

async function findings(action: () => Promise<unknown>): Promise<string[]> {
  // The clock of files ticks slowly: what is there before the run must be older than its record.
  const { birthtimeMs } = await stat(join(workspace, 'plain'))
  await until('the next tick', async () => {
    await rm(`${workspace}.tick`, { force: true })
    await writeFile(`${workspace}.tick`, '')
    return (await stat(`${workspace}.tick`)).birthtimeMs > birthtimeMs
  })
  await rememberStart({ reviews }, { name, runId, startedAt: new Date().toISOString(), workspace })
  await action()
  const [run] = await reviewableRuns({ reviews })
  const review = await reviewRun(run ?? { file: '' })
  expect(review).toMatchObject({ complete: true, name, runId, workspace })
  return review.findings.map(({ change, path }) => `${change} ${path}`)
}

const alternates = 'created .git/objects/info/alternates'
const todo = 'created .git/rebase-merge/git-rebase-todo'
const at = (path: string) => join(workspace, path)
const rows: [string, () => Promise<unknown>, unknown[]][] = [
  ['nothing at all', async () => {}, []],
  ['ordinary work', () => write('src/index.ts', 'x').then(() => write('readme.md', 'more')), []],
  ['a trusted file written again as it was', () => write('.vscode/settings.json', '{}'), []],
  ['a new .envrc', () => write('.envrc', 'x'), ['created .envrc']],
  ['one deeper down, in capitals', () => write('a/b/.ENVRC', 'x'), ['created a/b/.ENVRC']],
  ['settings of an editor', () => write('.vscode/settings.json', '{"a": 1}'), ['changed .vscode/settings.json']],
  ['anything of an editor', () => write('.idea/x/y.xml', ''), ['created .idea/x/y.xml']],
  ['settings taken away', () => rm(at('.vscode/settings.json')), ['removed .vscode/settings.json']],
  ['a changed script', () => write('package.json', '{"scripts": {"test": "x"}}'), ['changed package.json#scripts']],
  ['dependencies alone', () => write('package.json', '{"scripts": {"test": "vitest"}, "dependencies": {}}'), []],
  [
    'a package.json that is no JSON',
    () => write('package.json', '{'),
    ['changed package.json', 'removed package.json#scripts'],
  ],
  ['scripts nested without end', () => write('package.json', nested()), ['changed package.json#scripts']],
  ['a program', () => write('run', '#!').then(() => chmod(at('run'), 0o755)), ['created run']],
  ['a program that was a text before', () => chmod(at('plain'), 0o755), ['changed plain']],
  ['a program whose time is set back', changedInSecret, ['changed bin/tool']],
  ['set-user-id', () => chmod(at('plain'), 0o4644), ['changed plain']],
  ['a link out', () => symlink('/etc/passwd', at('link')), ['created link']],
  ['a link to nothing out there', () => symlink('../../not/there', at('link')), ['created link']],
  ['a link within', () => symlink('src/../readme.md', at('link')), []],
  ['a link out by a link within', linkByLink, ['created b']],
  ['a trusted name that is a link', () => symlink('readme.md', at('.envrc')), ['created .envrc']],
  ['a trusted file that becomes a link', toLink, ['changed .vscode/settings.json']],
  ['a directory behind a link, which is not entered', dirLink, ['created link']],
  ['a pipe', async () => execFileSync('mkfifo', [at('.envrc')]), ['created .envrc']],
  ['a repository within', () => write('sub/.git/config', ''), ['created sub/.git/config']],
  ['a directory git takes for a repository', bare, ['created evil/']],
  ['a hook of git', () => write('.git/hooks/post-checkout', ''), ['created .git/hooks/post-checkout']],
  ["git's objects", () => write('.git/objects/aa/bb', '').then(() => chmod(at('.git/objects/aa/bb'), 0o777)), []],
  ["a link among git's references", () => inGit('refs/heads/x'), ['created .git/refs/heads/x']],
  ["a link among git's logs", () => inGit('logs/HEAD'), ['created .git/logs/HEAD']],
  ["git's references, whatever they are called", () => write('.git/refs/heads/Makefile', 'x'), []],
  ['objects of another repository', () => write('.git/objects/info/alternates', '/'), [alternates]],
  ['steps of a rebase', () => write('.git/rebase-merge/git-rebase-todo', 'exec evil'), [todo]],
  ['another config', () => write('.git/commondir', '/tmp'), ['created .git/commondir']],
  ['a path too long to be followed', tooDeep, [expect.stringMatching(/^created a{200}\//)]],
  ['a name with letters of other languages', () => write('grün/.envrc', ''), ['created grün/.envrc']],
  ['what has names that are no text', noText, ['created x\udcff\udce4', 'created \udcff/.envrc', 'created \udcff/run']],
  ['what has such a name, and was there', () => writeFile(odd('old'), '#!more'), ['changed old\udcff']],
  ['a control character in a name', () => write('x\u001b[2J/.envrc', ''), ['created x\u001b[2J/.envrc']],
]

function odd(before: string, after = ''): Buffer {
  return Buffer.concat([Buffer.from(`${workspace}/${before}`), Buffer.from([0xff]), Buffer.from(after)])
}
async function noText() {
  await mkdir(odd(''))
  await writeFile(odd('', '/.envrc'), '')
  await writeFile(odd('', '/run'), '#!', { mode: 0o755 })
  await writeFile(odd('', '/plain'), '')
  await symlink('../elsewhere', Buffer.concat([odd('x'), Buffer.from([0xe4])]))
}
/** JSON reads this, and cannot write it. */
function nested(): string {
  return `{"scripts": ${'['.repeat(500_000)}${']'.repeat(500_000)}}`
}
async function changedInSecret() {
  const before = new Date(1_700_000_000_000)
  await writeFile(at('bin/tool'), '#!/bin/no\n')
  await utimes(at('bin/tool'), before, before)
}
async function inGit(path: string) {
  await mkdir(dirname(at(`.git/${path}`)), { recursive: true })
  await symlink('/etc/motd', at(`.git/${path}`))
}
async function linkByLink() {
  await symlink('.', at('a'))
  await symlink('a/../reviews', at('b'))
}
async function toLink() {
  await rename(at('.vscode/settings.json'), at('moved.json'))
  await symlink('../moved.json', at('.vscode/settings.json'))
}
async function dirLink() {
  await mkdir(join(workspace, '../outside/.vscode'), { recursive: true })
  await writeFile(join(workspace, '../outside/.vscode/tasks.json'), '')
  await symlink('../outside', at('link'))
}
async function tooDeep() {
  const name = 'a'.repeat(200)
  execFileSync('sh', ['-c', `for i in $(seq 25); do mkdir ${name}; cd -P ${name}; done`], { cwd: workspace })
  onTestFinished(() => void execFileSync('rm', ['-rf', workspace]))
}
async function bare() {
  await mkdir(at('evil/objects'), { recursive: true })
  await mkdir(at('evil/refs'))
  await write('evil/HEAD', 'ref: refs/heads/main')
}

describe('a review', () => {
  it.each(rows)('after %s', async (_, action, expected) => {
    expect(await findings(action)).toEqual(expected)
  })

  it('knows nothing of hard links but what they lead to', async () => {
    expect(await findings(() => link(at('readme.md'), at('.envrc')))).toEqual(['changed .envrc'])
  })
})

it.runIf(process.geteuid?.() === 0)('says which directory it cannot look into, once', async () => {
  await mkdir(at('closed/in'), { recursive: true })
  await asOrdinaryUser(async () => {
    const before = await survey(workspace)
    expect(before.entries.has('closed/')).toBe(false)
  })
  await chmod(at('closed'), 0o700)
  await asOrdinaryUser(async () => {
    const { entries } = await survey(workspace)
    expect(entries.get('closed/')).toMatchObject({ digest: 'EACCES', why: 'it cannot be looked into' })
  })
  await chmod(at('closed'), 0o744)
  await asOrdinaryUser(async () => {
    const { entries } = await survey(workspace)
    expect(entries.get('closed/in')).toMatchObject({ digest: 'EACCES' })
  })
})

it('says so when it cannot look at everything, and looks at what is trusted first', async () => {
  for (let index = 0; index < 50; index += 1) await write(`a${index}`, '')
  await write('zz/.envrc', '')
  await write('zz.envrc', '')
  const { complete, entries } = await survey(workspace, { ...surveyLimits, entries: 10 })
  expect([complete, [...entries.keys()]]).toEqual([false, ['package.json#scripts']])
  const few = await survey(workspace, { ...surveyLimits, letters: 10 })
  expect([few.complete, few.entries.size]).toEqual([false, 1])
})

it('reads again what it has written of the largest workspace that it looks through', async () => {
  const { found, letters } = surveyLimits
  const entry = {
    bornMs: 1.5e12,
    changedMs: 1.5e12,
    digest: 'd'.repeat(64),
    mode: 0o100755,
    size: 1,
    why: 'it can be run',
  }
  // Each of them is six in JSON, and a path has 4,096 bytes at most.
  const text = (index: number) => `${index}`.padStart(letters / found, '\u001b')
  const entries = new Map(Array.from({ length: found }, (_, index) => [text(index), entry]))
  await writeRunRecord(reviews, {
    before: { complete: false, entries },
    name,
    runId,
    startedAt: '2026-11-29',
    workspace,
  })
  const [run] = await reviewableRuns({ reviews })
  const { before } = await readRunRecord(run?.file ?? '')
  expect(before.entries.size).toBe(found)
})

it('takes a workspace of 50,000 files', async () => {
  // In memory where there is such a place: the disk is not what is tested.
  const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const large = await realpath(await mkdtemp(join(place, 'moat-review-')))
  onTestFinished(() => rm(large, { force: true, recursive: true }))
  for (let directory = 0; directory < 500; directory += 1) {
    mkdirSync(join(large, `node_modules/p${directory}`), { recursive: true })
    for (let file = 0; file < 100; file += 1) writeFileSync(join(large, `node_modules/p${directory}/${file}.js`), '')
  }
  await rememberStart({ reviews }, { name, runId, startedAt: new Date().toISOString(), workspace: large })
  await writeFile(join(large, 'node_modules/p499/.npmrc'), '')
  const [run] = await reviewableRuns({ reviews })
  const review = await reviewRun(run ?? { file: '' })
  expect([review.complete, review.findings.map(({ path }) => path)]).toEqual([true, ['node_modules/p499/.npmrc']])
}, 60_000)

it('keeps records of the latest hundred runs, for this user alone, and does not go by one that is broken', async () => {
  for (let index = 0; index < 103; index += 1) {
    const id = `run_${String(index).padStart(12, '0')}`
    const startedAt = new Date(1_000_000 + index).toISOString()
    await rememberStart({ reviews }, { name, runId: id, startedAt, workspace })
  }
  const runs = await reviewableRuns({ reviews })
  expect([runs.length, runs[0]?.runId]).toEqual([100, 'run_000000000102'])
  expect(await readdir(reviews)).toHaveLength(100)
  await writeFile(runs[0]?.file ?? '', '{}')
  const error = await caught(() => reviewRun(runs[0] ?? { file: '' }))
  expect([error.code, error.suggestions]).toEqual(['REVIEW_FAILED', [`rm ${runs[0]?.file}`]])
})

it('of a repository within, by which git status would run a program, it says so, with the command that takes it out', async () => {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: workspace, stdio: 'ignore' })
  vi.stubEnv('MOAT_HOME', dirname(reviews))
  onTestFinished(() => void vi.unstubAllEnvs())
  git('init', '--quiet')
  const found = await findings(async () => {
    git('init', '--quiet', 'sub')
    git('-C', 'sub', 'commit', '--quiet', '--allow-empty', '--message', 'x')
    git('add', 'sub')
    git('-C', 'sub', 'config', 'core.fsmonitor', 'evil')
  })
  expect(found).toContain('created sub/.git/config')
  const [run] = await reviewableRuns({ reviews })
  const review = await reviewRun(run ?? { file: '' })
  const fix = `git config --file ${shellQuote(at('sub/.git/config'))} --unset-all core.fsmonitor`
  expect(review.findings.find(({ path }) => path === 'sub/.git/config')).toEqual({
    change: 'created',
    fix,
    path: 'sub/.git/config',
    why: 'git status in this directory looks into that repository, and runs what core.fsmonitor names',
  })
  expect(formatReview(review).join('\n')).toContain(
    `Before git status, or a shell whose prompt calls it, is run there:\n\n  ${fix}`,
  )
})
