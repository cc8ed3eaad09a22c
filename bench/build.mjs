// How long an image takes: `node@22` with git built with no cache, and a run with nothing changed beside a run of an image
// that needs no build. Usage: npm run build && node bench/build.mjs [runs]      Needs an engine and the image node:22-slim.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const runs = Number(process.argv[2] ?? 3)
const home = mkdtempSync(join(tmpdir(), 'moat-bench-'))
const env = { ...process.env, MOAT_HOME: join(home, 'home') }
const moat = (...args) => execFileSync(process.execPath, ['bin/run.js', ...args], { env, stdio: 'pipe' })

function workspace(name, dependencies) {
  const directory = join(home, name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'moat.yaml'), `name: ${name}\ndependencies: ${dependencies}\ncommand: ["true"]\n`)
  return directory
}

function timed(action) {
  const start = performance.now()
  action()
  return performance.now() - start
}

const tools = workspace('tools', '[node@22, git]')
const plain = workspace('plain', '[node@22]')
const samples = { 'build and run, no cache': [], 'run, nothing changed': [], 'run without an image of its own': [] }
try {
  for (let run = 0; run < runs; run += 1) {
    samples['build and run, no cache'].push(timed(() => moat('run', '--rebuild', tools)))
    samples['run, nothing changed'].push(timed(() => moat('run', tools)))
    samples['run without an image of its own'].push(timed(() => moat('run', plain)))
  }
  for (const [name, values] of Object.entries(samples)) {
    const sorted = values.toSorted((a, b) => a - b)
    const range = `${sorted[0].toFixed(0)}–${sorted.at(-1).toFixed(0)}`
    console.log(
      `${name.padEnd(32)} median ${sorted[Math.floor(sorted.length / 2)].toFixed(0).padStart(6)} ms  (${range})`,
    )
  }
} finally {
  rmSync(home, { force: true, recursive: true })
}
