// Owns how numbers are written on the pages: few digits, one unit each.

/** By the minute where there are few. */
export function rateText(perSecond: number): string {
  if (perSecond < 1) return `${Math.round(perSecond * 60)}/min`
  return `${perSecond < 100 ? perSecond.toFixed(1) : countText(Math.round(perSecond))}/s`
}

export function timeText(milliseconds: number): string {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`
  if (milliseconds < 1_000) return `${milliseconds.toFixed(0)} ms`
  return `${(milliseconds / 1_000).toFixed(1)} s`
}

export function countText(count: number): string {
  return count.toLocaleString('en')
}
