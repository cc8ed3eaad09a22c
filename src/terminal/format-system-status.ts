// Owns how `moat status` is printed.
import type { SystemStatus } from '../agents/measure.js'
import { describeEndpoints } from '../routing/agent-view.js'
import { formatAge } from '../routing/format-age.js'
import { formatBytes } from './format-bytes.js'
import { formatTable } from './table.js'

export function formatSystemStatus({ engine, images, runs, warnings }: SystemStatus, now: number = Date.now()): string {
  const rows = runs.map(({ createdAt, endpoints, name, usage }) => [
    name,
    formatAge(createdAt, now),
    `${usage.cpu.toFixed(1)}%`,
    formatBytes(usage.memory),
    formatBytes(usage.disk),
    describeEndpoints(endpoints),
  ])
  const size = images.reduce((sum, image) => sum + image.size, 0)
  return [
    `Engine: ${engine.name} ${engine.version} at ${engine.address}`,
    '',
    ...(rows.length > 0
      ? [formatTable([['NAME', 'AGE', 'CPU', 'MEMORY', 'DISK', 'ENDPOINTS'], ...rows])]
      : ['No agents are running.']),
    '',
    `Images: ${images.length}, ${formatBytes(size)}`,
    ...(warnings.length > 0 ? ['', ...warnings.map((warning) => `Warning: ${warning}`)] : []),
  ].join('\n')
}
