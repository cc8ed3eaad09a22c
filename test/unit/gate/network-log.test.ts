// What is written down until the log is closed, and nothing afterwards: its directory may be gone by then.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { NetworkLogEntry } from '../../../src/egress/policy.js'
import { networkLogFile } from '../../../src/egress/read-log.js'
import { NetworkLog } from '../../../src/gate/network-log.js'

const runId = 'run_0123456789ab'
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'moat-network-log-'))
})
afterEach(() => rmSync(home, { force: true, recursive: true }))

it('is written when it is closed, and not after that', async () => {
  const log = new NetworkLog({ home }, () => {})
  const entry = (host: string) => ({ host, runId }) as NetworkLogEntry
  log.add(entry('first.test'))
  log.add(entry('second.test'))
  await log.close()
  const file = networkLogFile({ home }, runId)
  const hosts = readFileSync(file, 'utf8').trim().split('\n')
  expect(hosts.map((line) => JSON.parse(line).host)).toEqual(['first.test', 'second.test'])
  rmSync(dirname(file), { recursive: true })
  log.add(entry('late.test'))
  await log.flush()
  expect(existsSync(dirname(file))).toBe(false)
})
