// Owns how the proxy is shown while somebody watches it.
import type { IndexEndpoint, IndexView } from '../pages/view.js'
import { formatTable, widthOf } from './table.js'

export interface ScreenSize {
  columns: number
  rows: number
}

/** The lines of one screen, none longer than it is wide and no more than it is high. */
export function formatLiveStatus(view: IndexView, { columns, rows }: ScreenSize): string[] {
  const endpoints = view.agents.flatMap((agent) => agent.endpoints)
  const answering = endpoints.filter(({ health }) => health === 'answering').length
  const count = `${view.agents.length} ${view.agents.length === 1 ? 'agent' : 'agents'}`
  const head = `Routing Proxy  ${view.url}  ${count}, ${answering} of ${endpoints.length} endpoints answering`
  const table = fittingTable(view, columns).split('\n')
  const room = Math.max(1, rows - 4)
  const hidden = table.length - room
  const shown = hidden > 0 ? [...table.slice(0, room - 1), `… and ${hidden + 1} more`] : table
  return [head, '', ...shown, '', 'q or Ctrl+C quits.'].map((line) => cut(line, columns))
}

/** Numbers, the least wanted first, make room for the URL, which is of no use in part. */
const droppable = ['P50', 'P95', 'ERRORS', 'REQ/S', 'HEALTH', 'ENDPOINT']

function fittingTable(view: IndexView, columns: number): string {
  const rows = view.agents.flatMap((agent) =>
    agent.endpoints.length === 0
      ? [{ AGENT: agent.name, ENDPOINT: '-', HEALTH: agent.state }]
      : agent.endpoints.map((endpoint) => ({ AGENT: agent.name, ...cells(endpoint) })),
  ) as Record<string, string>[]
  const all = ['AGENT', 'ENDPOINT', 'HEALTH', 'REQ/S', 'ERRORS', 'P50', 'P95', 'URL']
  const table = (names: string[]) => formatTable([names, ...rows.map((row) => names.map((name) => row[name] ?? ''))])
  const choices = droppable.map((_, index) => all.filter((name) => !droppable.slice(0, index + 1).includes(name)))
  const tables = [all, ...choices].map(table)
  return tables.find((text) => widthOf(text) <= columns) ?? table(all.filter((name) => name !== 'URL'))
}

function cells({ counters, health, name, url }: IndexEndpoint): Record<string, string> {
  const { errorRate, p50, p95, perSecond } = counters
  const time = (value: number | null) => (value === null ? '-' : `${value.toFixed(value < 10 ? 1 : 0)} ms`)
  return {
    ENDPOINT: name,
    ERRORS: `${(errorRate * 100).toFixed(1)}%`,
    HEALTH: health.replace('_', ' '),
    P50: time(p50),
    P95: time(p95),
    'REQ/S': perSecond.toFixed(1),
    URL: url,
  }
}

function cut(line: string, columns: number): string {
  return line.length > columns ? `${line.slice(0, Math.max(0, columns - 1))}…` : line
}
