// Content that is much, in packs that moat writes itself: a real git reads and checks them.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onDemand } from '../../../src/snapshots/limits.js'
import { contentId } from '../../../src/snapshots/object-id.js'
import { IndexedIds, packIndex } from '../../../src/snapshots/pack-format.js'
import { PackWriter } from '../../../src/snapshots/pack-writer.js'
import { restoreSnapshot } from '../../../src/snapshots/restore.js'
import { openStore, takeSnapshot } from '../../../src/snapshots/snapshots.js'
import type { SnapshotStore } from '../../../src/snapshots/store.js'
import { TreeWriter } from '../../../src/snapshots/write-tree.js'
import { picture } from '../../helpers/picture.js'
import { caught } from '../config/caught.js'

const mebibyte = 1024 * 1024

let base: string
let workspace: string
let store: SnapshotStore
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'moat-packs-'))
  workspace = join(base, 'workspace')
  mkdirSync(workspace)
  store = await openStore({ home: join(base, 'home'), snapshots: join(base, 'home/snapshots') }, workspace)
})
afterEach(() => rmSync(base, { force: true, recursive: true }))

const demand = { limits: onDemand, reason: 'demand' } as const
const packs = () => join(store.directory, 'objects/pack')

function files(all: Record<string, Buffer | string>): void {
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true })
    writeFileSync(join(workspace, path), content)
  }
}

function git(args: string[], input?: Buffer): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  return execFileSync('git', args, {
    cwd: existsSync(store.directory) ? store.directory : base,
    encoding: 'utf8',
    env,
    input,
    stdio: 'pipe',
  })
}

/** What git says of the store, of each pack, and how many files and objects there are. */
function check(): { objects: number; packs: number } {
  expect(git(['fsck', '--strict', '--full', '--no-dangling'])).toBe('')
  const names = readdirSync(packs())
  const indexes = names.filter((name) => name.endsWith('.idx'))
  for (const name of indexes) git(['verify-pack', join(packs(), name)])
  const counted = git(['count-objects', '-v'])
  expect(counted).toMatch(/^garbage: 0$/m)
  return { objects: Number(/in-pack: (\d+)/.exec(counted)?.[1]), packs: indexes.length }
}

test('content of all sizes is what it was, and git finds nothing wrong with it', async () => {
  // Where the length of a head changes, and where content is compressed by itself.
  const sizes = [0, 1, 15, 16, 2047, 2048, 8192, 8193, 65_535, 262_143, 262_144, mebibyte - 1, mebibyte, mebibyte + 1]
  files(Object.fromEntries(sizes.map((size) => [`sizes/${size}`, randomBytes(size)])))
  files(
    Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`many/${index % 7}/${index}`, `${index}\n`.repeat(99)]),
    ),
  )
  files({ 'a "b"\n\\c': 'odd', 'large and same': Buffer.alloc(3 * mebibyte), 'same 1': 'same', 'same 2': 'same' })
  const before = picture(workspace)
  const { snapshot } = await takeSnapshot(store, demand)
  const { objects } = check()
  const modes = readdirSync(packs()).map((name) => statSync(join(packs(), name)).mode & 0o777)
  // Those of git's own, in a directory that is its user's alone, are as the user's files are.
  expect(modes.filter((mode) => mode === 0o400).length).toBeGreaterThanOrEqual(2)
  // Trees, facts and the commit come by git's own hand.
  const contents = new Set(Object.values(before).flatMap((text) => /^file \d+ (.*)/s.exec(text)?.[1] ?? []))
  expect(objects).toBe(contents.size + 11 + 2)
  rmSync(workspace, { recursive: true })
  mkdirSync(workspace)
  await restoreSnapshot(store, snapshot)
  expect(picture(workspace)).toEqual(before)
})

test('what the store has is not written again', async () => {
  const known = randomBytes(mebibyte)
  files({ known, 'known too': randomBytes(2 * mebibyte), 'and this': 'little' })
  await takeSnapshot(store, demand)
  const { objects } = check()
  rmSync(join(workspace, 'and this'))
  files({ 'and that': 'little', 'known by another name': known, new: randomBytes(mebibyte) })
  await takeSnapshot(store, demand)
  // One content, two trees, facts only if they are others, a commit.
  expect(check().objects).toBe(objects + 1 + 2 + 1)
  // Of content that is all known, there is no pack.
  const writer = new PackWriter(packs())
  await writer.add(contentId(known), known)
  await writer.finish()
  expect(check().objects).toBe(objects + 1 + 2 + 1)
})

test('content that comes faster than a thread compresses it is all there', async () => {
  await takeSnapshot(store, demand)
  const writer = new PackWriter(packs())
  // Each fills more than half of what the thread is given at once; only the promise says that there is too much.
  const all = Array.from({ length: 24 }, (_, index) => Buffer.alloc(600 * 1024, `${index}.`))
  for (const content of all) await writer.add(contentId(content), content)
  await writer.finish()
  check()
  const kinds = git(
    ['cat-file', '--batch-check=%(objecttype) %(objectsize)'],
    Buffer.from(all.map(contentId).join('\n')),
  )
  expect(kinds.trim().split('\n')).toEqual(all.map(({ length }) => `blob ${length}`))
})

test('of one that fails nothing stays, nor of one that was killed', async () => {
  files({ little: 'x' })
  await takeSnapshot(store, demand)
  const before = readdirSync(packs())
  files(Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, randomBytes(mebibyte)])))
  const limits = { ...onDemand, bytes: 3 * mebibyte }
  expect(await caught(() => takeSnapshot(store, { ...demand, limits }))).toMatchObject({ code: 'SNAPSHOT_FAILED' })
  expect(readdirSync(packs())).toEqual(before)
  expect(await store.list()).toHaveLength(1)
  writeFileSync(join(packs(), 'tmp_pack_of-one-that-was-killed'), 'PACK')
  await takeSnapshot(store, demand)
  expect(readdirSync(packs()).filter((name) => name.startsWith('tmp_'))).toEqual([])
  check()
})

test('a store that cannot be written is what is told, and no file is left out for it', async () => {
  await takeSnapshot(store, demand)
  const writer = new TreeWriter(store)
  rmSync(packs(), { recursive: true })
  writeFileSync(packs(), 'no directory')
  const content = randomBytes(2 * mebibyte)
  const failed = await caught(async () => writer.content(contentId(content), content))
  expect(failed).toMatchObject({
    code: 'SNAPSHOT_FAILED',
    message: expect.stringContaining('cannot be written: ENOTDIR'),
  })
  await writer.abandon()
})

test('an index is read by git, also of a pack with more than 2 GiB, and by moat; a broken one has nothing', () => {
  const ids = Array.from({ length: 300 }, (_, index) => contentId(Buffer.from(String(index))))
  const objects = ids.map((id, index) => ({ crc: index, id, offset: 12 + index * 0x0100_0000 }))
  const index = packIndex(objects, Buffer.alloc(32))
  const shown = git(['show-index', '--object-format=sha256'], index).trim().split('\n')
  const line = ({ crc, id, offset }: (typeof objects)[number]) =>
    `${offset} ${id} (${crc.toString(16).padStart(8, '0')})`
  expect(shown).toEqual(objects.toSorted((one, other) => (one.id < other.id ? -1 : 1)).map(line))
  const [first, last] = [Buffer.alloc(32), Buffer.alloc(32, 0xff)]
  const own = new IndexedIds(index)
  expect(ids.every((id) => own.has(Buffer.from(id, 'hex')))).toBe(true)
  expect([first, last].some((id) => own.has(id))).toBe(false)
  for (const broken of [Buffer.alloc(0), index.subarray(0, 2000), Buffer.from('text '.repeat(1000))]) {
    expect(ids.some((id) => new IndexedIds(broken).has(Buffer.from(id, 'hex')))).toBe(false)
  }
})
