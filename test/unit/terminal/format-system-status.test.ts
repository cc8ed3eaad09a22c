// Owns what `moat status` says of agents under a network policy.
import { expect, it } from 'vitest'
import type { SystemStatus } from '../../../src/agents/measure.js'
import { formatSystemStatus } from '../../../src/terminal/format-system-status.js'

const use = { allow: '', allowed: 0, blocked: 1, bytesIn: 0, bytesOut: 0, lastAt: '', port: 443 }
const run = { createdAt: new Date(0).toISOString(), endpoints: [], usage: { cpu: 0, disk: 0, memory: 0 } }

function lines(...runs: object[]): string[] {
  const engine = { address: 'unix:///x', name: 'Docker', version: '1' }
  const status = { engine, images: [], runs: runs.map((one) => ({ ...run, ...one })), volumes: [], warnings: [] }
  return formatSystemStatus(status as unknown as SystemStatus, 0).split('\n')
}

it('is how many hosts each has reached, and which it was refused last, whatever their names have in them', () => {
  const refused = (host: string, port = 443) => ({ ...use, host, port, reason: 'no rule' })
  const hosts = [refused('a.test', 8443), { ...use, allowed: 2, host: 'ok.test' }, refused('b\u001b[2J.test')]
  const shown = lines(
    { name: 'walled', network: { hosts: [...hosts, refused('c.test'), refused('d.test')], policy: 'strict' } },
    { name: 'quiet', network: { hosts: [], policy: 'permissive' } },
    { name: 'open' },
  )
  const table = shown.slice(shown.findIndex((line) => line.startsWith('NETWORK OF')))
  expect(table.slice(0, 4)).toEqual([
    'NETWORK OF  POLICY      REACHED  REFUSED',
    'walled      strict      1 host   a.test:8443, b\\u{1b}[2J.test, c.test, 1 more',
    'quiet       permissive  0 hosts',
    '',
  ])
})

it('is nothing where there are none', () => {
  expect(lines({ name: 'open' }).join('\n')).not.toContain('NETWORK')
})
