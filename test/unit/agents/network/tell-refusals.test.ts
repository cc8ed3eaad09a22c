import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeRefusal, tellRefusals } from '../../../../src/agents/network/tell-refusals.js'
import type { NetworkLogEntry } from '../../../../src/egress/policy.js'
import { networkLogFile } from '../../../../src/egress/read-log.js'
import { until } from '../../../helpers/until.js'

const runId = 'run_0123456789ab'
let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'moat-refusals-'))
})
afterEach(() => rmSync(home, { force: true, recursive: true }))

const entry = (changes: Partial<NetworkLogEntry> = {}): NetworkLogEntry => ({
  agent: 'my-app',
  bytesIn: 0,
  bytesOut: 0,
  duration: 0,
  host: 'api.stripe.com',
  port: 443,
  reason: 'no rule',
  runId,
  time: '2026-11-28T12:00:00.000Z',
  verdict: 'blocked',
  ...changes,
})

describe('what is told of a refusal', () => {
  it.each([
    [{}, 'blocked api.stripe.com (no rule); allow: moat network allow my-app api.stripe.com'],
    [{ port: 5432 }, 'blocked api.stripe.com:5432 (no rule); allow: moat network allow my-app api.stripe.com:5432'],
    [
      { reason: 'rule', rule: 'deny * /**' },
      'blocked api.stripe.com (rule deny * /**); allow: moat network allow my-app api.stripe.com',
    ],
    [
      { reason: 'private address 10.0.0.5' },
      'blocked api.stripe.com (private address 10.0.0.5); allow: moat network allow my-app 10.0.0.5',
    ],
    [
      { port: 8443, reason: 'private address fd00::1' },
      'blocked api.stripe.com:8443 (private address fd00::1); allow: moat network allow my-app [fd00::1]:8443',
    ],
    [{ reason: 'TLS without a server name' }, 'blocked api.stripe.com (TLS without a server name)'],
  ] as [Partial<NetworkLogEntry>, string][])('%j', (changes, line) => {
    expect(describeRefusal(entry(changes))).toBe(line)
  })

  it('is told once for each host, as it happens, and for so many of them', async () => {
    const file = networkLogFile({ home }, runId)
    mkdirSync(dirname(file), { recursive: true })
    const write = (...entries: NetworkLogEntry[]) =>
      appendFileSync(file, entries.map((one) => `${JSON.stringify(one)}\n`).join(''))
    const lines: string[] = []
    const refusals = tellRefusals({ name: 'my-app', runId }, { home }, (line) => lines.push(line))
    write(entry(), entry(), entry({ host: 'ok.example', verdict: 'allowed' }))
    await until('the first line', () => lines.length === 1)
    write(entry(), ...Array.from({ length: 50 }, (_, index) => entry({ host: `x${index}.example` })))
    await refusals.stop()
    expect(lines).toHaveLength(21)
    expect(lines.at(-2)).toMatch(/^blocked x18\.example /)
    expect(lines.at(-1)).toBe('Other hosts are blocked too: moat network log my-app')
  })
})
