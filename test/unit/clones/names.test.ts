// Owns which names a clone may give, and what its URL and its state may say: without a repository.
import { expect, it } from 'vitest'
import { chooseRefs } from '../../../src/clones/choose-refs.js'
import { agentOfClone, cloneVolume } from '../../../src/clones/clone-volume.js'
import { withoutCredentials } from '../../../src/clones/origin-url.js'
import { mostBranches, parseRefs, parseStatus } from '../../../src/clones/read-clone.js'
import { formatPulled } from '../../../src/terminal/format-clones.js'
import { caught } from '../config/caught.js'

const id = 'a'.repeat(40)
const chosen = (...branches: string[]) =>
  chooseRefs(
    'one',
    branches.map((branch) => ({ branch, id })),
  )

it('takes branches by names that stay where they belong', () => {
  const { refused, wanted } = chosen('main', 'feature/x', 'HEAD', 'ünïcode')
  expect(refused).toEqual([])
  expect(wanted.map(({ ref }) => ref)).toEqual([
    'refs/heads/moat/one/HEAD',
    'refs/heads/moat/one/feature/x',
    'refs/heads/moat/one/main',
    'refs/heads/moat/one/ünïcode',
  ])
})

it.each([
  '../../main',
  'a/../b',
  '..',
  '.git',
  'a/.b',
  'a.lock',
  'a//b',
  '/a',
  'a/',
  '-x',
  'a/-x',
  '@',
  'a@{1}',
  'a b',
  'a\nb',
  'a\u202eb',
  'a\u200db',
  'a\ufffdb',
  'a:b',
  'a\\b',
  'a*',
  '',
  'x'.repeat(201),
  'x/'.repeat(250),
])('leaves %j where it is', (branch) => {
  expect(chosen(branch)).toMatchObject({ refused: [{ branch }], wanted: [] })
})

it('takes one of two that a file system may not keep apart', () => {
  for (const pair of [
    ['Main', 'main'],
    ['a', 'a/b'],
    ['A/c', 'a'],
    ['e\u0301', '\u00e9'],
    ['HEAD', 'head'],
    ['stra\u00dfe', 'STRA\u1e9eE'],
  ]) {
    expect(chosen(...pair)).toMatchObject({ refused: [{}], wanted: [{}] })
  }
})

it('reads refs and files as git lists them, and nothing else', async () => {
  const text = `${id} commit refs/heads/main\n${id} blob refs/heads/x\n${'a'.repeat(39)} commit refs/heads/y\nnonsense\n`
  expect(parseRefs(text)).toEqual([{ id, name: 'refs/heads/main' }])
  const many = `${id} commit refs/heads/x\n`.repeat(mostBranches + 1)
  expect(await caught(() => parseRefs(many))).toMatchObject({ code: 'CLONE_REFUSED' })
  expect(parseStatus(' M a\0?? b c\0nonsense\0R  d\ne\0')).toEqual([
    { path: 'a', status: 'M' },
    { path: 'b c', status: '??' },
    { path: 'd\ne', status: 'R' },
  ])
})

it('is a volume that no moat.yaml names', () => {
  const volume = cloneVolume('one', '/app/.git')
  expect(volume).toEqual({ name: 'clone.one', place: '/app/.git' })
  expect(agentOfClone(volume)).toBe('one')
  expect(agentOfClone({ name: 'clone-one' })).toBeUndefined()
})

it('shows what an agent wrote so that it moves no cursor', () => {
  const lines = formatPulled('one', {
    branches: [],
    refused: [{ branch: 'a\u001b[2Jb', reason: 'git accepts no such name' }],
    stash: true,
    uncommitted: [{ path: 'x\u001b[31m', status: 'M' }],
  })
  expect(lines.join('\n')).not.toContain('\u001b')
  expect(lines).toContain('A stash stays in the clone.')
})

it.each([
  ['https://git.example/ann/app.git', 'https://git.example/ann/app.git'],
  ['https://ann:secret@git.example/ann/app.git', 'https://git.example/ann/app.git'],
  ['https://token@git.example/ann/app.git', 'https://git.example/ann/app.git'],
  ['https://ann:p@ss@git.example/app', 'https://git.example/app'],
  ['https://git.example/app?private_token=secret#x', 'https://git.example/app'],
  ['ssh://git@git.example:22/app', 'ssh://git@git.example:22/app'],
  ['ssh://git:secret@git.example/app', 'ssh://git@git.example/app'],
  ['git@git.example:ann/app.git', 'git@git.example:ann/app.git'],
  ['/srv/app.git', '/srv/app.git'],
  ['ann:secret@git.example:app', undefined],
  ['https://ann:sec/ret@git.example/app', undefined],
  ['ext::sh -c secret', undefined],
  ['ext::sh', undefined],
  ['https://git.example/a b', undefined],
  ['ftp://ann:secret@git.example/app', 'ftp://git.example/app'],
])('gives of the URL %s only %s', (url, shown) => {
  expect(withoutCredentials(url)).toBe(shown)
})
