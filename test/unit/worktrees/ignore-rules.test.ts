// What git ignores, as git itself says: made-up patterns and paths are asked of both.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { rawName } from '../../../src/config/raw-name.js'
import { IgnoreRules } from '../../../src/worktrees/ignore-rules.js'
import { fuzzing, patience } from '../../helpers/fuzz.js'

const names = [
  'a',
  'b',
  'ab',
  'abc',
  'a.log',
  '.env',
  'x y',
  'a]',
  '[a',
  'é',
  'B',
  'a!',
  '#a',
  '!a',
  'a\\b',
  'a ',
  '-',
  '^a',
]
const pieces = [
  ...['**/', '**/', '/**', '/**/', 'a/', 'ad/'],
  ...['*', '**', '***', '?', 'a', 'b', 'c', '/', '/', '/', '.log', '.env', 'é', ' ', '\\ ', '!', '#', '-', '^', ']'],
  ...[
    '[ab]',
    '[!a]',
    '[^b]',
    '[a-c]',
    '[]a]',
    '[[:upper:]]',
    '[[:no:]]',
    '[a-]',
    '[\\]]',
    '[',
    '[a',
    '\\*',
    '\\a',
    '\\',
  ],
]
/** Each name alone, each below some others, and some deeper. */
const files = names.flatMap((name, index) => [
  `${name}f`,
  ...['a', 'b', 'ab', 'x y', '.env'].map((outer) => `${outer}/${name}`),
  ...['a', 'c', 'é'].map((outer) => `a/${outer}d/${names[(index * 7 + 3) % names.length]}d/${name}`),
])

const directory = mkdtempSync(join(tmpdir(), 'moat-ignore-'))
afterEach(() => vi.restoreAllMocks())
afterAll(() => rmSync(directory, { force: true, recursive: true }))

/** As moat walks: nothing below what is ignored is asked about. */
function ignored(rules: IgnoreRules, path: string): boolean {
  const parts = path.split('/')
  return parts.some((_, index) => rules.ignores(parts.slice(0, index + 1).join('/'), index < parts.length - 1))
}

test(
  'judges as git does',
  () => {
    const repository = join(directory, 'repository')
    execFileSync('git', ['init', '--quiet', repository])
    for (const path of files) {
      mkdirSync(join(repository, dirname(path)), { recursive: true })
      writeFileSync(join(repository, path), '')
    }
    const line = fc.tuple(
      fc.constantFrom('', '', '!', '/', '#'),
      fc.array(fc.constantFrom(...pieces), { maxLength: 6, minLength: 1 }),
      fc.constantFrom('', '', '/', ' '),
    )
    const property = fc.property(
      fc.array(line, { maxLength: 3, minLength: 1 }),
      fc.constantFrom('\n', '\r\n'),
      (lines, end) => {
        const text = lines.map(([start, middle, last]) => `${start}${middle.join('')}${last}${end}`).join('')
        writeFileSync(join(repository, '.git/info/exclude'), text)
        const args = ['-c', 'core.excludesFile=/dev/null', 'check-ignore', '-z', '--stdin', '--no-index']
        const said = spawnSync('git', args, { cwd: repository, input: files.join('\0') }).stdout.toString('latin1')
        const rules = IgnoreRules.of(rawName(text))
        const own = files.map(rawName).filter((path) => ignored(rules, path))
        expect(own.toSorted()).toEqual(said.split('\0').filter(Boolean).toSorted())
      },
    )
    fc.assert(property, fuzzing(120))
  },
  patience.timeout,
)

test('the file that is nearer wins, and what is below an ignored directory stays ignored', () => {
  const rules = IgnoreRules.of('*.log\n!keep.log\n', 'build/\n')
  const inner = rules.within('src', '!debug.log\n/own\n')
  expect(inner.ignores('src/debug.log', false)).toBe(false)
  expect(inner.ignores('src/other.log', false)).toBe(true)
  expect(inner.ignores('src/own', false)).toBe(true)
  expect(inner.ignores('src/deep/own', false)).toBe(false)
  expect(inner.ignores('src/build', false)).toBe(false)
  expect(inner.ignores('src/build', true)).toBe(true)
  expect(rules.ignores('keep.log', false)).toBe(false)
})

test('a pattern that was made to take for ever takes no time', () => {
  const rules = IgnoreRules.of(`${'*a'.repeat(60)}b\n${'**/a*'.repeat(30)}/b\n`)
  expect(rules.ignores('a'.repeat(255), false)).toBe(false)
  expect(rules.ignores(Array(100).fill('aaaaaaaa').join('/'), false)).toBe(false)
})

test('knows which directories a pattern names something in', () => {
  const rules = IgnoreRules.of('.env\nconfig/local/*.json\n**/secrets/x\n!dist/y\n')
  expect(rules.leadsInto('config')).toBe(true)
  expect(rules.leadsInto('config/local')).toBe(true)
  expect(IgnoreRules.of('.env\nconfig/*\n*/x\n').leadsInto('node_modules')).toBe(false)
})

test('patterns that take too long together are refused', () => {
  const rules = IgnoreRules.of('*a*a*b\n'.repeat(200))
  expect(rules.ignores('a'.repeat(100), false)).toBe(false)
  let now = 0
  // A clock by which each look at it comes a second after the last.
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 1_000
    return now
  })
  expect(() => {
    for (let round = 0; round < 100; round += 1) rules.ignores('a'.repeat(100), false)
  }).toThrow(/takes too long/)
})
