// Programs that wait, run, or have ended, by what the system says of their threads, which is made up here.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { comeToRest } from '../../../src/processes/at-rest.js'
import { putFiles } from '../../helpers/put-files.js'
import { until } from '../../helpers/until.js'

const containerId = 'c0ffee'.repeat(10)
const group = `docker/${containerId}`
let root: string
let over: AbortController
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'moat-at-rest-'))
  over = new AbortController()
})
afterEach(() => {
  over.abort()
  rmSync(root, { force: true, recursive: true })
})

const put = (files: Record<string, string>) => putFiles(root, files)

/** One program whose main thread is in this state, in a hierarchy of this kind. */
function program(state: string, { list = 'cgroup.threads', mount = '', name = 'node' } = {}): void {
  put({
    [join('cgroup', mount, group, list)]: '42\n43\n',
    'proc/42/cgroup': `8:${mount}:/${group}\n`,
    'proc/42/schedstat': '1 1 1\n',
    'proc/42/stat': `42 (${name}) ${state} 1 42`,
    'proc/43/schedstat': '1 1 1\n',
    'proc/43/stat': '43 (worker) S 1 42',
  })
}

const places = () => ({ mount: join(root, 'cgroup'), proc: join(root, 'proc') })
const coming = (pid = 42) => comeToRest({ containerId, pid }, over.signal, places())

it.each(['', 'pids'])('is seen once every thread waits, in the hierarchy %j', async (mount) => {
  program('S', { list: mount === '' ? 'cgroup.threads' : 'tasks', mount })
  expect(await coming()).toBe('rests')
})

it.each(['R', 'D', 'Z', 'T'])('is not seen of a thread that is %s, until it waits too', async (state) => {
  program(state, { name: 'a) S (b' })
  let seen: string | undefined
  const found = coming().then((what) => {
    seen = what
  })
  // Longer than a program that waits is looked at.
  const start = performance.now()
  await until('some looks', () => performance.now() - start > 100)
  expect(seen).toBeUndefined()
  program('S')
  await found
  expect(seen).toBe('rests')
})

it('is not seen of one that runs between two looks, nor of what is in a group of its own', async () => {
  program('S')
  let runs = 1
  const timer = setInterval(() => {
    runs += 1
    put({ 'proc/42/schedstat': `1 1 ${runs}\n` })
  }, 1)
  const found = coming()
  await until('some runs', () => runs > 60)
  put({ [`cgroup/${group}/inner/cgroup.threads`]: '44\n' })
  clearInterval(timer)
  const start = performance.now()
  await until('some looks', () => performance.now() - start > 100)
  over.abort()
  expect(await found).toBe('unknown')
})

it('is an end when the group is gone', async () => {
  program('R')
  const found = coming()
  rmSync(join(root, 'cgroup', group), { recursive: true })
  expect(await found).toBe('ended')
})

it('is unknown where the process is none of this machine’s, or another’s', async () => {
  program('S')
  put({ 'proc/45/cgroup': '0::/user.slice\n' })
  expect([await coming(44), await coming(45), await coming(0)]).toEqual(['unknown', 'unknown', 'unknown'])
})
