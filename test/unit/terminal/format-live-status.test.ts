import { describe, expect, it } from 'vitest'
import type { IndexView } from '../../../src/pages/view.js'
import { formatLiveStatus } from '../../../src/terminal/format-live-status.js'

const counters = { errorRate: 0, p50: 1.2, p95: 30, perSecond: 0.5 }
const url = 'https://web.dark-mode.localhost:8080'
const view = {
  agents: [{ endpoints: [{ counters, health: 'answering', name: 'web', url }], name: 'dark-mode', state: 'running' }],
  url: 'https://localhost:8080',
} as unknown as IndexView

describe('formatLiveStatus', () => {
  const at = (columns: number) => formatLiveStatus(view, { columns, rows: 24 })

  it('counts one agent as one', () => {
    expect(at(120)[0]).toBe('Routing Proxy  https://localhost:8080  1 agent, 1 of 1 endpoints answering')
  })

  it('has everything where there is room', () => {
    expect(at(120)[2]).toBe('AGENT      ENDPOINT  HEALTH     REQ/S  ERRORS  P50     P95    URL')
  })

  it.each([60, 70, 80, 90, 100])('at %i columns shows the whole URL, and fewer numbers', (columns) => {
    const lines = at(columns)
    expect(lines[3]).toContain(url)
    expect(lines.every(({ length }) => length <= columns)).toBe(true)
  })

  it('shows no part of a URL that does not fit', () => {
    expect(at(40).slice(2, 4).join('\n')).not.toContain('http')
  })
})
