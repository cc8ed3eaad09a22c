// A group of figures as a picture: a bar for each median, a line for the spread. Light and dark, for it stands in documents.
const [width, left, right, bar, gap, top] = [760, 250, 120, 18, 10, 44]

const escaped = (text) => text.replace(/[&<>]/g, (one) => `&#${one.charCodeAt(0)};`)
const short = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2))

export function plot(title, rows) {
  const most = Math.max(...rows.map(({ high }) => high))
  const scale = (value) => (value / most) * (width - left - right)
  const height = top + rows.length * (bar + gap) + 8
  const bars = rows.map(({ high, low, median, name, ratio, unit }, index) => {
    const y = top + index * (bar + gap)
    const times = ratio === undefined ? '' : `  × ${ratio.toFixed(2)}`
    return `<text x="${left - 10}" y="${y + 13}" text-anchor="end">${escaped(name)}</text>
<rect class="bar" x="${left}" y="${y}" width="${scale(median).toFixed(1)}" height="${bar}" rx="2"/>
<line class="spread" x1="${left + scale(low)}" x2="${left + scale(high)}" y1="${y + bar / 2}" y2="${y + bar / 2}"/>
<text x="${left + scale(high) + 8}" y="${y + 13}">${short(median)} ${escaped(unit)}${times}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<style>
text { fill: #1f2328; font: 12px system-ui, sans-serif }
.title { font-size: 15px; font-weight: 600 }
.bar { fill: #2f6f5e }
.spread { stroke: #9a6700; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .bar { fill: #58a08c } .spread { stroke: #d4a72c } }
</style>
<text class="title" x="0" y="20">${escaped(title)}</text>
${bars.join('\n')}
</svg>
`
}
