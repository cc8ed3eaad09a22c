// Owns that a container's processes are found by what the kernel says alone, and that those of it are stopped, and no others.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import { continueGroup, findGroup, stopGroup } from '../../../src/processes/container-group.js'
import { putFiles } from '../../helpers/put-files.js'
import { until } from '../../helpers/until.js'

const containerId = 'c0ffee'.repeat(10)
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'moat-group-'))
})
afterEach(() => rmSync(root, { force: true, recursive: true }))

const put = (files: Record<string, string>) => putFiles(root, files)
const found = (id = containerId) => findGroup(id, { mount: join(root, 'cgroup'), proc: join(root, 'proc') })

it.each([
  ['one hierarchy', `0::/system.slice/docker-${containerId}.scope`, `system.slice/docker-${containerId}.scope`],
  ['several', `3:cpu,pids:/docker/${containerId}\n0::/`, `pids/docker/${containerId}`],
  ['both', `1:name=systemd:/x\n0::/docker/${containerId}`, `unified/docker/${containerId}`],
])('finds the group where there is %s', (_, groups, path) => {
  put({
    'proc/41/cgroup': '0::/user.slice\n',
    'proc/42/cgroup': `${groups}\n`,
    [`cgroup/${path}/cgroup.procs`]: '42\n43\n',
  })
  expect(found()).toBe(join(root, 'cgroup', path, 'cgroup.procs'))
})

it.each([
  ['another machine’s', `0::/docker/${containerId}`, '7\n', containerId],
  ['out of the mount', `0::/../docker/${containerId}`, '42\n', containerId],
  ['of no container', `0::/docker/${containerId}`, '42\n', ''],
])('finds none that is %s', (_, groups, pids, id) => {
  put({ 'proc/42/cgroup': `${groups}\n`, [`cgroup/docker/${containerId}/cgroup.procs`]: pids })
  expect(found(id)).toBe(undefined)
})

function sleeper(): ChildProcess & { pid: number } {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child as ChildProcess & { pid: number }
}
const state = ({ pid }: { pid: number }) => /\) (.)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
const becomes = (one: { pid: number }, wanted: string) => until(`${wanted} of it`, () => state(one) === wanted)

it.runIf(process.platform === 'linux')('stops who goes on, and has those go on again and no others', async () => {
  const [first, second, before, other] = [sleeper(), sleeper(), sleeper(), sleeper()]
  before.kill('SIGSTOP')
  await becomes(before, 'T')
  const file = join(root, 'cgroup.procs')
  // Zero stands for those that are not seen from here: a signal to it would be one to ourselves.
  writeFileSync(file, `0\n${first.pid}\n${second.pid}\n${before.pid}\n`)
  const told: number[] = []
  // One that is not on a processor stops before it does anything else.
  await until('all of them stopped', () => stopGroup(file, (pids) => void told.push(...pids)))
  expect([...new Set(told)].toSorted()).toEqual([first.pid, second.pid].toSorted())
  expect([first, second].map(state)).toEqual(['T', 'T'])
  expect(state(other)).not.toBe('T')

  // One that has left the group: its number may be somebody else's.
  writeFileSync(file, `${first.pid}\n${before.pid}\n`)
  continueGroup(file, told)
  await until('the first goes on', () => state(first) !== 'T')
  expect([second, before].map(state)).toEqual(['T', 'T'])
  continueGroup(join(root, 'gone'), told)
})
