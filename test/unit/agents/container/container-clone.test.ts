// Owns how a clone gets into its volume: once, whole, as the agent's user's, and not at all if the start fails.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ContainerClone } from '../../../../src/agents/container/container-clone.js'
import { openRepository } from '../../../../src/worktrees/repository.js'
import { caught } from '../../config/caught.js'

let directory: string
let app: string

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'moat-fill-')))
  vi.stubEnv('GIT_CONFIG_GLOBAL', '/dev/null')
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1')
  vi.stubEnv('MOAT_HOME', join(directory, 'h'))
  app = join(directory, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'run'), '#!/bin/sh\n')
  chmodSync(join(app, 'run'), 0o755)
  symlinkSync('run', join(app, 'link'))
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', app, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args])
  git('init', '--quiet', '--initial-branch=main')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'first')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { force: true, recursive: true })
})

/** An engine with one volume, of which it says whether it has made it, and that takes archives until it is told to fail. */
class FakeEngine {
  readonly entries: { mode?: number; name: string; uid?: number }[] = []
  readonly removed: string[] = []
  failing = false
  isNew = true

  readonly files = {
    unpack: async (_: string, archive: Readable) => {
      const unpack = extract()
      unpack.on('entry', ({ mode, name, uid }, stream, next) => {
        this.entries.push({ ...(mode !== undefined && { mode }), name, ...(uid !== undefined && { uid }) })
        stream.on('end', next).resume()
      })
      await new Promise((resolve, reject) => archive.pipe(unpack).on('finish', resolve).on('error', reject))
      if (this.failing) throw new Error('no space left')
    },
  }
  readonly volumes = {
    ensure: async () => ({ id: 'moat-clone.one-1', isNew: this.isNew, labels: {} }),
    remove: async (id: string) => {
      this.removed.push(id)
      return 'removed'
    },
  }
  isRootless = async () => false
}

async function prepare(engine: FakeEngine, notes: string[] = []) {
  const progress = { note: (line: string) => notes.push(line), step: (_: string, act: () => unknown) => act() }
  const options = { engine, paths: { home: join(directory, 'h') }, progress, user: { gid: 7, uid: 8 } }
  const clone = await ContainerClone.prepare(
    { clone: { repository: await openRepository(app) }, name: 'one' },
    options as never,
  )
  if (!clone) throw new Error('there is no clone')
  return clone
}
const ofMoat = () => readdirSync(join(directory, 'h/git'))

it('is put into a new volume, with modes and links, as the files of its user', async () => {
  const engine = new FakeEngine()
  const clone = await prepare(engine)
  await clone.fill('container')
  await clone.release()
  expect(engine.entries[0]).toEqual({ mode: 0o755, name: 'workspace/', uid: 8 })
  expect(engine.entries).toContainEqual({ mode: 0o755, name: 'workspace/run', uid: 8 })
  expect(engine.entries.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['workspace/.git/HEAD', 'workspace/link']),
  )
  expect(engine.entries.every(({ name, uid }) => uid === 8 && name.startsWith('workspace/'))).toBe(true)
  expect(ofMoat()).toEqual([])
})

it('is not put over the one that an agent of that name has', async () => {
  const engine = new FakeEngine()
  engine.isNew = false
  const notes: string[] = []
  const clone = await prepare(engine, notes)
  await clone.fill('container')
  await clone.takeBack()
  await clone.release()
  expect([engine.entries, engine.removed]).toEqual([[], []])
  expect(notes).toEqual([expect.stringContaining('goes on in the clone that it has')])
})

it('is put once more into a volume that was not filled to the end', async () => {
  const engine = new FakeEngine()
  engine.failing = true
  const first = await prepare(engine)
  await expect(first.fill('container')).rejects.toThrow('no space left')
  await first.release()
  expect(ofMoat()).toEqual(['moat-clone.one-1.filling'])
  Object.assign(engine, { failing: false, isNew: false })
  engine.entries.length = 0
  const second = await prepare(engine)
  await second.fill('container')
  await second.release()
  expect(engine.entries.map(({ name }) => name)).toContain('workspace/run')
  expect(ofMoat()).toEqual([])
})

it('goes again with its volume when the start fails, or there is nothing to clone', async () => {
  const engine = new FakeEngine()
  const clone = await prepare(engine)
  await clone.takeBack()
  await clone.release()
  rmSync(join(app, '.git/refs/heads/main'))
  expect(await caught(() => prepare(engine))).toMatchObject({ code: 'NO_COMMITS' })
  expect(engine.removed).toEqual(['moat-clone.one-1', 'moat-clone.one-1'])
  expect(ofMoat()).toEqual([])
  expect(existsSync(app)).toBe(true)
})
