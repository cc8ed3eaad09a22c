// Owns small plots of the last minutes.
import { type Html, html } from './html.js'

/** How long each of the values stands for. */
export const slotSeconds = 10

const height = 20
const width = 90

/** A line over `values`, from left to right; a flat one at the bottom when they are all zero. */
export function sparkline(values: readonly number[], label: string): Html {
  const most = Math.max(1, ...values)
  const step = width / Math.max(1, values.length - 1)
  const points = values.map((value, index) => {
    return `${(index * step).toFixed(1)},${(height - 1 - (value / most) * (height - 2)).toFixed(1)}`
  })
  return html`<svg class="spark" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}"><polyline points="${points.join(' ')}"/></svg>`
}
