// Owns how `moat status` is printed.
import type { SystemStatus } from '../agents/measure.js'
import { formatAge } from '../routing/format-age.js'
import { type EndpointCells, fitting } from './format-agents.js'
import { formatBytes } from './format-bytes.js'
import { formatTable } from './table.js'

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
    `Images: ${images.length}, ${formatBytes(size)}`,
    ...(volumes.length > 0 ? [`Volumes: ${volumes.length}`] : []),
    ...(warnings.length > 0 ? ['', ...warnings.map((warning) => `Warning: ${warning}`)] : []),
  ].join('\n')
}
