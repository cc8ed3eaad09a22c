// Owns how `moat status` is printed.
import type { SystemStatus } from '../agents/measure.js'
import { visible } from '../config/visible.js'
import { formatAge } from '../routing/format-age.js'
import { type EndpointCells, fitting } from './format-agents.js'
import { formatBytes } from './format-bytes.js'
import { targetText } from './format-network.js'
import { formatTable } from './table.js'

/** Of the hosts that an agent was refused, so many are named: the last ones. */
const mostNamed = 3

export function formatSystemStatus(
  { engine, images, runs, volumes, warnings }: SystemStatus,
  now: number = Date.now(),
  columns?: number,
): string {
  const table = (endpoints: EndpointCells) => {
    const rows = runs.map((run) => [
      run.name,
      formatAge(run.createdAt, now),
      `${run.usage.cpu.toFixed(1)}%`,
      formatBytes(run.usage.memory),
      formatBytes(run.usage.disk),
      endpoints(run.endpoints),
    ])
    return formatTable([['NAME', 'AGE', 'CPU', 'MEMORY', 'DISK', 'ENDPOINTS'], ...rows])
  }
  const size = images.reduce((sum, image) => sum + image.size, 0)
  return [
    `Engine: ${engine.name} ${engine.version} at ${engine.address}`,
    '',
    runs.length > 0 ? fitting(columns, table) : 'No agents are running.',
    '',
    ...networkTable(runs),
    `Images: ${images.length}, ${formatBytes(size)}`,
    ...(volumes.length > 0 ? [`Volumes: ${volumes.length}`] : []),
    ...(warnings.length > 0 ? ['', ...warnings.map((warning) => `Warning: ${warning}`)] : []),
  ].join('\n')
}

/** Of agents under a network policy. */
function networkTable(runs: SystemStatus['runs']): string[] {
  const rows = runs.flatMap(({ name, network }) => {
    if (!network) return []
    const { hosts, policy } = network
    const refused = hosts.filter(({ reason }) => reason !== undefined)
    const named = refused.slice(0, mostNamed).map(({ host, port }) => targetText(host, port))
    const more = refused.length > named.length ? [`${refused.length - named.length} more`] : []
    const reached = hosts.filter(({ allowed }) => allowed > 0).length
    return [[name, policy, reached === 1 ? '1 host' : `${reached} hosts`, visible([...named, ...more].join(', '))]]
  })
  return rows.length === 0 ? [] : [formatTable([['NETWORK OF', 'POLICY', 'REACHED', 'REFUSED'], ...rows]), '']
}
