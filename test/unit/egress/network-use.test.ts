import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { NetworkUse } from '../../../src/egress/network-use.js'
import type { NetworkLogEntry } from '../../../src/egress/policy.js'
import { networkLogFile } from '../../../src/egress/read-log.js'
import { networkPanel } from '../../../src/pages/network-panel.js'
import type { IndexAgent } from '../../../src/pages/view.js'

const runId = 'run_0123456789ab'
let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'moat-use-'))
  mkdirSync(dirname(networkLogFile({ home }, runId)), { recursive: true })
})
afterEach(() => rmSync(home, { force: true, recursive: true }))

function write(...changes: Partial<NetworkLogEntry>[]): void {
  const base = { agent: 'my-app', bytesIn: 0, bytesOut: 0, duration: 1, port: 443, reason: 'rule', runId }
  const lines = changes.map((change) => `${JSON.stringify({ ...base, ...change })}\n`)
  appendFileSync(networkLogFile({ home }, runId), lines.join(''))
}

it('counts what an agent was let reach and refused, by host, and shows it with a way to allow it', async () => {
  const use = new NetworkUse({ home })
  write(
    { bytesIn: 10, bytesOut: 5, host: 'ok.example', time: '2026-01-01T00:00:01.000Z', verdict: 'allowed' },
    { host: 'no.example', reason: 'no rule', time: '2026-01-01T00:00:02.000Z', verdict: 'blocked' },
    { host: 'no.example', reason: 'no rule', time: '2026-01-01T00:00:03.000Z', verdict: 'blocked' },
  )
  await Promise.all([use.refresh([runId]), use.refresh([runId])])
  const [refused, allowed] = use.of(runId)
  expect(refused).toEqual({
    allow: 'moat network allow my-app no.example',
    allowed: 0,
    blocked: 2,
    bytesIn: 0,
    bytesOut: 0,
    host: 'no.example',
    lastAt: '2026-01-01T00:00:03.000Z',
    port: 443,
    reason: 'no rule',
  })
  expect(allowed).toMatchObject({ allowed: 1, blocked: 0, bytesIn: 10, bytesOut: 5, host: 'ok.example' })
  const network = { hosts: use.of(runId), policy: 'strict' }
  const agent = { name: 'my-app', network, runId } as unknown as IndexAgent
  const panel = networkPanel(agent, true)?.text
  expect(panel).toContain('<summary>Network: strict, 2 hosts, 2 refused</summary>')
  expect(panel).toContain('data-action="allow" data-run="run_0123456789ab" data-agent="my-app" data-rule="no.example"')
  expect(networkPanel(agent, false)?.text).not.toContain('<button')

  write({ host: 'no.example', time: '2026-01-01T00:00:04.000Z', verdict: 'allowed' })
  await use.refresh([runId])
  expect(use.of(runId)[0]).toMatchObject({ allowed: 1, blocked: 2, host: 'no.example' })
  expect(use.of(runId)[0]).not.toHaveProperty('allow')
  await use.refresh([])
  expect(use.of(runId)).toEqual([])
})

it('goes on showing what is reached, however many hosts an agent makes up', async () => {
  const use = new NetworkUse({ home })
  const made = (name: string, verdict: NetworkLogEntry['verdict'], minute: number): Partial<NetworkLogEntry>[] =>
    Array.from({ length: 300 }, (_, index) => {
      const time = `2026-01-01T00:${minute}:00.${String(index).padStart(3, '0')}Z`
      return { host: `${name}${index}.example`, reason: 'no rule', time, verdict }
    })
  write(...made('no', 'blocked', 10))
  write({ bytesOut: 5, host: 'first.example', time: '2026-01-01T00:11:00.000Z', verdict: 'allowed' })
  write(...made('later', 'blocked', 12))
  await use.refresh([runId])
  const hosts = () => use.of(runId).map(({ host }) => host)
  expect(hosts()).toHaveLength(200)
  expect(hosts()).toContain('first.example')
  // Hosts that were let through and led nowhere.
  write(...made('nowhere', 'allowed', 13))
  write({ bytesOut: 9, host: 'second.example', time: '2026-01-01T00:14:00.000Z', verdict: 'allowed' })
  write(...made('end', 'blocked', 15))
  await use.refresh([runId])
  expect(hosts()).toHaveLength(200)
  expect(hosts()).toEqual(expect.arrayContaining(['first.example', 'second.example']))
})

it('names no command for a host that no rule can name', async () => {
  const use = new NetworkUse({ home })
  const hosts = ['--save', '-x.example', 'a.-x.example']
  write(
    ...hosts.map((host) => ({
      host,
      reason: 'no rule',
      time: '2026-01-01T00:00:01.000Z',
      verdict: 'blocked' as const,
    })),
  )
  await use.refresh([runId])
  expect(use.of(runId).map(({ allow }) => allow)).toEqual([undefined, undefined, undefined])
})
