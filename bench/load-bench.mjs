// What benches of the proxy under load share: a moat of their own with one agent under load and others beside it, the load,
// and how its rounds are compared. Ratios count, not figures.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import autocannon from 'autocannon'
import { median } from './figures.mjs'

export const rounds = Number(process.argv[2] ?? 7)
/** How long one round lasts. */
const seconds = Number(process.argv[3] ?? 3)
/** Agents besides the one under load. */
const others = 9
export const home = mkdtempSync(join(tmpdir(), 'moat-bench-'))
const env = { ...process.env, MOAT_HOME: home, MOAT_PROXY_PORT: '0' }
export const moat = (...args) =>
  execFileSync(process.execPath, ['bin/run.js', ...args], { encoding: 'utf8', env, stdio: 'pipe' })

/** Starts the agents; what `moat run` says of the one under load, what `moat proxy status` says, and the root. */
export function startAgents() {
  const hello = resolve('examples/hello')
  const loaded = JSON.parse(moat('run', '-d', '--json', '--name', 'loaded', hello))
  for (let other = 0; other < others; other += 1) moat('run', '-d', '--name', `other-${other}`, hello)
  moat('wait', 'loaded', 'web')
  const proxy = JSON.parse(moat('proxy', 'status', '--json'))
  return { ca: readFileSync(join(home, 'proxy/ca/ca.crt')), loaded, proxy }
}

export function cleanUp() {
  for (const { name } of JSON.parse(moat('list', '--json')).agents) moat('destroy', name)
  moat('proxy', 'stop')
  rmSync(home, { force: true, recursive: true })
}

/** Milliseconds of CPU a process has used. */
export function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** One round: requests a second, and Caddy's microseconds of CPU for each. (Told an amount, autocannon ends at full seconds.) */
export async function load(host, port, ca, caddyPid) {
  const before = cpuOf(caddyPid)
  const { duration, errors, non2xx, requests } = await autocannon({
    connections: 32,
    duration: seconds,
    headers: { Host: `${host}:${port}` },
    timeout: 10,
    tlsOptions: { ca, servername: host },
    url: `https://localhost:${port}`,
  })
  if (non2xx + errors > 0) throw new Error(`${non2xx + errors} requests failed`)
  return {
    cpu: ((cpuOf(caddyPid) - before) * 1000) / requests.total,
    rate: requests.total / duration,
    seconds: duration,
  }
}

/** A line for each phase, in times of the first one. `more` adds to it. */
export function report(phases, more = () => '') {
  const [reference] = Object.values(phases)
  for (const [phase, results] of Object.entries(phases)) {
    const ratio = (key) => median(results.map((one, round) => one[key] / reference[round][key])).toFixed(3)
    const middle = (key, digits) => median(results.map((one) => one[key])).toFixed(digits)
    console.log(
      `${phase.padEnd(26)} ${middle('rate', 0)} req/s (× ${ratio('rate')})   Caddy ${middle('cpu', 1)} µs CPU a request (× ${ratio('cpu')})${more(middle)}`,
    )
  }
}
