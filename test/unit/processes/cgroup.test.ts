import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readCgroup } from '../../../src/processes/cgroup.js'
import { putFiles } from '../../helpers/put-files.js'

const containerId = 'c0ffee'.repeat(10)
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'moat-cgroup-'))
})
afterEach(() => rmSync(root, { force: true, recursive: true }))

const put = (files: Record<string, string>) => putFiles(root, files)
const read = (pid = 42, id = containerId) =>
  readCgroup({ containerId: id, pid }, { mount: join(root, 'cgroup'), proc: join(root, 'proc') })

describe('the control group of a container', () => {
  it('is read where there is one hierarchy', async () => {
    const group = `system.slice/docker-${containerId}.scope`
    put({
      [`cgroup/${group}/cpu.stat`]: 'usage_usec 1500000\nuser_usec 1000000\n',
      [`cgroup/${group}/memory.current`]: '4096\n',
      'proc/42/cgroup': `0::/${group}\n`,
    })
    expect(await read()).toEqual({ cpuTime: 1_500_000, memory: 4_096 })
  })

  it('is read where there is one for each controller', async () => {
    const path = `docker/${containerId}`
    put({
      [`cgroup/cpuacct/${path}/cpuacct.usage`]: '2000000\n',
      [`cgroup/memory/${path}/memory.usage_in_bytes`]: '8192\n',
      'proc/42/cgroup': `4:memory:/${path}\n2:cpu,cpuacct:/${path}\n0::/${path}\n`,
    })
    expect(await read()).toEqual({ cpuTime: 2_000, memory: 8_192 })
  })

  it('is nobody else’s, whatever number the engine says', async () => {
    put({
      'cgroup/user.slice/cpu.stat': 'usage_usec 1\n',
      'cgroup/user.slice/memory.current': '1\n',
      'proc/42/cgroup': '0::/user.slice\n',
      'proc/43/cgroup': `0::/${containerId}/../user.slice\n`,
      'proc/44/cgroup': `0::/${containerId}\n`,
    })
    expect(await read()).toBeUndefined()
    expect(await read(43)).toBeUndefined()
    // Its files are not there.
    expect(await read(44)).toBeUndefined()
    expect(await read(45)).toBeUndefined()
    expect(await read(0)).toBeUndefined()
    expect(await read(42, '')).toBeUndefined()
  })
})
