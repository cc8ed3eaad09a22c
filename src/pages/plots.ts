// Owns plots of the last minutes, as SVG that takes its colours from the stylesheet.
import { type Html, html } from './html.js'

/** How long each of the values stands for. */
export const slotSeconds = 10

const height = 24
/** For one value. Whole numbers, as the heights are: with 200 agents every digit is sent 12,000 times. */
const step = 4

/** Lists are the same ones while nothing changes, and so are their plots. */
const drawn = new WeakMap<readonly (number | null)[], Html>()

function once(values: readonly (number | null)[], draw: () => Html): Html {
  const known = drawn.get(values)
  if (known) return known
  const fresh = draw()
  drawn.set(values, fresh)
  return fresh
}

/** A bar for each value, from left to right; what failed of it at its foot, in another colour. */
export function bars(values: readonly number[], failures: readonly number[], label: string): Html {
  return once(values, () => drawBars(values, failures, label))
}

/** A line over the values, with gaps where there are none; a lone value is a dash. */
export function curve(values: readonly (number | null)[], label: string): Html {
  return once(values, () => drawCurve(values, label))
}

function drawBars(values: readonly number[], failures: readonly number[], label: string): Html {
  const most = Math.max(1, ...values)
  const all = barsPath(values, most)
  const failed = failures.some((count) => count > 0)
    ? html`<path class="failed" d="${barsPath(failures, most)}"/>`
    : undefined
  return plot(values.length, label, html`<path class="bars" d="${all}"/>${failed}`)
}

function drawCurve(values: readonly (number | null)[], label: string): Html {
  const most = Math.max(1, ...values.map((value) => value ?? 0))
  const parts: { x: number; y: number }[][] = [[]]
  for (const [index, value] of values.entries()) {
    if (value === null) parts.push([])
    else parts.at(-1)?.push({ x: index * step + step / 2, y: heightOf(value, most) })
  }
  const lines = parts.filter(({ length }) => length > 0)
  const line = lines.map(lineThrough).join('')
  const area = lines.map(areaUnder).join('')
  const shape = html`<path class="area" d="${area}"/><path class="line" d="${line}"/>`
  return plot(values.length, label, shape)
}

function lineThrough(points: readonly { x: number; y: number }[]): string {
  const [first] = points
  if (first && points.length === 1) return `M${first.x - step / 2} ${first.y}h${step}`
  return points.map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${x} ${y}`).join('')
}

function areaUnder(points: readonly { x: number; y: number }[]): string {
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last || points.length < 2) return ''
  return `M${first.x} ${height}${points.map(({ x, y }) => `L${x} ${y}`).join('')}V${height}z`
}

function barsPath(values: readonly number[], most: number): string {
  return values
    .flatMap((value, index) => {
      const tall = height - heightOf(value, most)
      return value === 0 ? [] : [`M${index * step} ${height}v-${tall}h${step - 1}v${tall}z`]
    })
    .join('')
}

/** From the top. The least of all is seen, too. */
function heightOf(value: number, most: number): number {
  return Math.min(height - 2, Math.round(height - (value / most) * (height - 2)))
}

function plot(values: number, label: string, shape: Html): Html {
  const box = `0 0 ${values * step - 1} ${height}`
  return html`<svg class="plot" viewBox="${box}" preserveAspectRatio="none" role="img" aria-label="${label}">${shape}</svg>`
}
