// What counting requests costs a proxied request, and what an open dashboard adds: rounds of the same load without counters,
// with them, and with them and a dashboard, in turn, so that what else the machine does falls on all three. Ratios count,
// not figures. Caddy's CPU time for a request says most: the rate depends on the client and the agent's server too.
// Usage: npm run build && node bench/counters.mjs [rounds] [requests]     Needs an engine, Caddy and the image node:22-slim.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import autocannon from 'autocannon'

const rounds = Number(process.argv[2] ?? 7)
const amount = Number(process.argv[3] ?? 15_000)
/** Agents besides the one under load: what a dashboard has to show. */
const others = 9
const home = mkdtempSync(join(tmpdir(), 'moat-bench-'))
const env = { ...process.env, MOAT_HOME: home, MOAT_PROXY_PORT: '0' }
const moat = (...args) =>
  execFileSync(process.execPath, ['bin/run.js', ...args], { encoding: 'utf8', env, stdio: 'pipe' })

/** Milliseconds of CPU a process has used. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Asks Caddy's admin API. */
function admin(method, path, body) {
  return new Promise((done, failed) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' }
    const outgoing = httpRequest({ headers, method, path, socketPath: join(home, 'proxy/admin.sock') }, (response) => {
      response.resume().on('end', () => (response.statusCode === 200 ? done() : failed(new Error(path))))
    })
    outgoing.on('error', failed).end(body)
  })
}

const lookup = (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }])

/** Follows the index as the page does; resolves with what ends it once the first event is there. */
function openDashboard(indexUrl, ca) {
  return new Promise((done, failed) => {
    const outgoing = httpsRequest(`${indexUrl}/_moat/events`, { ca, lookup }, (response) => {
      let events = 0
      response.on('data', () => {
        events += 1
        if (events === 1) done(() => outgoing.destroy())
      })
      response.on('error', () => {})
    })
    outgoing.on('error', failed).end()
  })
}

async function load(url, ca, caddyPid, supervisorPid) {
  const { hostname, port } = new URL(url)
  const before = [cpuOf(caddyPid), cpuOf(supervisorPid), performance.now()]
  const result = await autocannon({
    amount,
    connections: 32,
    headers: { Host: `${hostname}:${port}` },
    timeout: 10,
    tlsOptions: { ca, servername: hostname },
    url: `https://localhost:${port}`,
  })
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx + result.errors} requests failed`)
  const seconds = (performance.now() - before[2]) / 1000
  return {
    cpu: ((cpuOf(caddyPid) - before[0]) * 1000) / amount,
    rate: amount / seconds,
    supervisor: (cpuOf(supervisorPid) - before[1]) / 10 / seconds,
  }
}

const phases = { counters: [], 'counters and a dashboard': [], 'no counters': [] }
try {
  const hello = resolve('examples/hello')
  const { endpoints } = JSON.parse(moat('run', '-d', '--json', '--name', 'loaded', hello))
  for (let other = 0; other < others; other += 1) moat('run', '-d', '--name', `other-${other}`, hello)
  moat('wait', 'loaded')
  const { caddy, indexUrl, supervisor } = JSON.parse(moat('proxy', 'status', '--json'))
  const ca = readFileSync(join(home, 'proxy/ca/ca.crt'))
  const measure = async (phase) => phases[phase].push(await load(endpoints[0].url, ca, caddy.pid, supervisor.pid))
  await load(endpoints[0].url, ca, caddy.pid, supervisor.pid) // warms everything up
  for (let round = 0; round < rounds; round += 1) {
    await admin('DELETE', '/config/apps/http/metrics')
    await measure('no counters')
    await admin('PUT', '/config/apps/http/metrics', JSON.stringify({ per_host: true }))
    await measure('counters')
    const close = await openDashboard(indexUrl, ca)
    await measure('counters and a dashboard')
    close()
  }
  const reference = phases['no counters']
  for (const phase of ['no counters', 'counters', 'counters and a dashboard']) {
    const ratio = (key) => median(phases[phase].map((one, round) => one[key] / reference[round][key])).toFixed(3)
    const middle = (key, digits) => median(phases[phase].map((one) => one[key])).toFixed(digits)
    console.log(
      `${phase.padEnd(26)} ${middle('rate', 0)} req/s (× ${ratio('rate')})   Caddy ${middle('cpu', 1)} µs CPU a request (× ${ratio('cpu')})   supervisor ${middle('supervisor', 1)} % of a core`,
    )
  }
} finally {
  for (const { name } of JSON.parse(moat('list', '--json')).agents) moat('destroy', name)
  moat('proxy', 'stop')
  rmSync(home, { force: true, recursive: true })
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}
