// How every bench says what it has measured: medians, spread, and ratios to one of them. A line for people each; with
// MOAT_BENCH_FIGURES, the name of a file, a line of JSON there too, for `npm run bench`.
import { appendFileSync } from 'node:fs'

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

/**
 * A group of figures of one unit. `samples` are the measured values by name; `against` is the name whose median the others are
 * ratios to, `note` a text for a name.
 */
export function say({ against, group, notes = {}, samples, unit }) {
  const base = against === undefined ? undefined : median(samples[against])
  console.log(`\n${group}`)
  for (const [name, values] of Object.entries(samples)) {
    const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)]
    const ratio = base === undefined ? undefined : middle / base
    const row = { group, high, low, median: middle, name, note: notes[name], ratio, unit }
    console.log(`  ${textOf(row)}`)
    const { MOAT_BENCH_FIGURES: file } = process.env
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(row)}\n`)
  }
}

export function textOf({ high, low, median: middle, name, note, ratio, unit }) {
  const spread = high > low ? `(${short(low)}–${short(high)})` : ''
  const times = ratio === undefined ? '' : `× ${ratio.toFixed(2)}`
  return `${name.padEnd(34)} ${short(middle).padStart(8)} ${unit.padEnd(5)} ${spread.padEnd(16)} ${times.padEnd(7)} ${note ?? ''}`.trimEnd()
}

const short = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2))
