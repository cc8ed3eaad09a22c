// What no change may break, as ratios within one run, which a busy machine changes little. Generous: a bound that is broken
// means that something has become much slower, not that a machine was slow.
const bounds = [
  { group: /^requests a second, small/, least: 0.5, name: 'moat' },
  { group: /^requests a second, large/, least: 0.4, name: 'moat' },
  { group: /^the front, kept connections/, ifAny: true, least: 0.8, name: 'with layer4' },
  { group: /^commands$/, most: 6, name: 'moat list' },
  { group: /^commands$/, most: 6, name: 'moat proxy status' },
  { group: /^commands$/, most: 6, name: 'a TAB after moat stop' },
  { group: /^moat run -d, to its return$/, most: 6, name: 'moat run -d' },
  { group: /^moat stop, to its return$/, most: 6, name: 'moat stop' },
]

/** A line for each bound that is broken, or of which there is no figure though every machine has one. */
export function brokenBounds(rows) {
  return bounds.flatMap(({ group, ifAny, least, most, name }) => {
    const found = rows.filter((row) => row.name === name && group.test(row.group))
    if (found.length === 0 && !ifAny) return [`There is no figure for ${name} in ${group}.`]
    return found
      .filter(({ ratio }) => ratio < (least ?? 0) || ratio > (most ?? Number.POSITIVE_INFINITY))
      .map((row) => `${row.group}: ${name} is × ${row.ratio.toFixed(2)}; the bound is ${least ?? most}.`)
  })
}
