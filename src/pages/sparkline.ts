// Owns small plots of the last minutes.
import { type Html, html } from './html.js'

/** How long each of the values stands for. */
export const slotSeconds = 10

const height = 20
/** Between two values. Whole numbers, as the heights are: with 200 agents every digit is sent 12,000 times. */
const step = 3

/** A line over `values`, from left to right; a flat one at the bottom when they are all zero. */
export function sparkline(values: readonly number[], label: string): Html {
  const most = Math.max(1, ...values)
  const width = (values.length - 1) * step
  const points = values.map((value, index) => {
    return `${index * step},${Math.round(height - 1 - (value / most) * (height - 2))}`
  })
  return html`<svg class="spark" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}"><polyline points="${points.join(' ')}"/></svg>`
}
