// `npm run bench`: everything that is measured, one after the other, on 127.0.0.1 only and in bounded time; 13 minutes on two
// cores. Prints one table, and writes docs/performance/figures.json and a plot for each group beside it.
// Names of scripts after it run only those, and the figures of the others stay: `npm run bench -- commands`.
// `--quick` takes 3 minutes, compares each ratio with a generous bound, writes nothing and exits with 1 when one is broken.
// Linux; needs an engine, Caddy (MOAT_CADDY; the front is measured if it has layer4), h2load (nghttp2-client), npm's registry and the image node:22-slim.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { brokenBounds } from './bounds.mjs'
import { textOf } from './figures.mjs'
import { plot } from './plot.mjs'

const isQuick = process.argv.includes('--quick')
const chosen = process.argv.slice(2).filter((word) => !word.startsWith('-'))
/** A script, its arguments, and those of a quick run. */
const parts = [
  ['way-in', ['3', '3'], ['3', '1']],
  ['add-agent', ['1', '200', '1000', '5000'], ['200']],
  ['commands', ['15'], ['7']],
  ['start', ['10'], ['5']],
  ['proxy-memory', ['200'], ['20']],
  ['front', ['30', '5000'], ['9', '1500']],
]

const names = parts.map(([name]) => name)
const unknown = chosen.find((name) => !names.includes(name))
if (unknown !== undefined)
  fail(`There is no bench ${unknown}. There are: ${names.join(', ')}.`, 'npm run bench -- front')

const work = mkdtempSync(join(tmpdir(), 'moat-bench-'))
// Also when one of them fails.
process.once('exit', () => rmSync(work, { force: true, recursive: true }))
const file = join(work, 'figures.jsonl')
writeFileSync(file, '')
if (spawnSync('h2load', ['--version']).error) fail('There is no h2load.', 'apt-get install -y nghttp2-client')
if (loadavg()[0] > 1) console.error(`This machine is busy (load ${loadavg()[0].toFixed(1)}): trust ratios only.`)
const env = { ...process.env, MOAT_BENCH_FIGURES: file, ...(!isQuick && { MOAT_BENCH_OTHERS: '1' }) }
const failed = []
for (const [name, whole, quick] of parts) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  console.error(`\n— ${name}`)
  const args = [join(import.meta.dirname, `${name}.mjs`), ...(isQuick ? quick : whole)]
  const { status } = spawnSync(process.execPath, args, { env, stdio: 'inherit', timeout: 600_000 })
  // What the others measured is not lost for it.
  if (status !== 0) failed.push(name)
}
const rows = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line))
const groups = Map.groupBy(rows, ({ group }) => group)
console.log('\n\nAll of it')
for (const [group, members] of groups) console.log(`\n${group}\n${members.map((row) => `  ${textOf(row)}`).join('\n')}`)
if (isQuick) {
  const broken = brokenBounds(rows)
  for (const line of broken) console.error(line)
  process.exitCode = broken.length > 0 ? 1 : 0
} else write(groups, rows)
for (const name of failed) {
  console.error(`\nbench/${name}.mjs failed. Try this:\n  node bench/${name}.mjs`)
  process.exitCode = 1
}

function write(groups, rows) {
  const place = resolve(import.meta.dirname, '../docs/performance')
  mkdirSync(place, { recursive: true })
  const kept = chosen.length > 0 ? keptFigures(join(place, 'figures.json'), groups) : []
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const about = { commit, cores: availableParallelism(), date: new Date().toISOString().slice(0, 10) }
  writeFileSync(
    join(place, 'figures.json'),
    `${JSON.stringify({ ...about, figures: [...kept, ...rows] }, undefined, 2)}\n`,
  )
  for (const [group, members] of groups)
    writeFileSync(join(place, `${group.replace(/\W+/g, '-')}.svg`), plot(group, members))
}

/** Those of groups that were not measured this time. */
function keptFigures(path, groups) {
  if (!existsSync(path)) return []
  return JSON.parse(readFileSync(path, 'utf8')).figures.filter(({ group }) => !groups.has(group))
}

function fail(problem, command) {
  console.error(`${problem}\n\nTry this:\n  ${command}`)
  process.exit(1)
}
