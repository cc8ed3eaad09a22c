// Owns how the proxy is shown while somebody watches it.
import type { IndexEndpoint, IndexView } from '../pages/view.js'
import { formatTable } from './table.js'

export interface ScreenSize {
  columns: number
  rows: number
}

/** The lines of one screen, none longer than it is wide and no more than it is high. */
export function formatLiveStatus(view: IndexView, { columns, rows }: ScreenSize): string[] {
  const endpoints = view.agents.flatMap((agent) => agent.endpoints)
  const answering = endpoints.filter(({ health }) => health === 'answering').length
  const head = `Routing Proxy  ${view.url}  ${view.agents.length} agents, ${answering} of ${endpoints.length} endpoints answering`
  const table = formatTable([
    ['AGENT', 'ENDPOINT', 'HEALTH', 'REQ/S', 'ERRORS', 'P50', 'P95', 'URL'],
    ...view.agents.flatMap((agent) =>
      agent.endpoints.length === 0
        ? [[agent.name, '-', agent.state]]
        : agent.endpoints.map((endpoint) => [agent.name, ...cells(endpoint)]),
    ),
  ]).split('\n')
  const room = Math.max(1, rows - 4)
  const hidden = table.length - room
  const shown = hidden > 0 ? [...table.slice(0, room - 1), `… and ${hidden + 1} more`] : table
  return [head, '', ...shown, '', 'q or Ctrl+C ends.'].map((line) => cut(line, columns))
}

function cells({ counters, health, name, url }: IndexEndpoint): string[] {
  const { errorRate, p50, p95, perSecond } = counters
  const time = (value: number | null) => (value === null ? '-' : `${value.toFixed(value < 10 ? 1 : 0)} ms`)
  const rate = `${(errorRate * 100).toFixed(1)}%`
  return [name, health.replace('_', ' '), perSecond.toFixed(1), rate, time(p50), time(p95), url]
}

function cut(line: string, columns: number): string {
  return line.length > columns ? `${line.slice(0, Math.max(0, columns - 1))}…` : line
}
