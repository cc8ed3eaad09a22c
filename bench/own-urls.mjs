// What it costs that containers reach the proxy: the gate before every request, and the way through the forwarder. Rounds of
// the same load in turn, so that what else the machine does falls on all: with a config that has neither the gate nor
// the headers it needs, with the config as it is, and through a forwarder that runs here, on the other loopback address.
// Usage: npm run build && node bench/own-urls.mjs [rounds] [requests]     Linux; needs an engine, Caddy and node:22-slim.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import autocannon from 'autocannon'
import { CaddyAdmin } from '../dist/caddy/admin.js'

const rounds = Number(process.argv[2] ?? 7)
const amount = Number(process.argv[3] ?? 15_000)
/** Agents besides the one under load. */
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

/** The config without what containers need. */
function withoutGate(config) {
  const bare = structuredClone(config)
  const { moat: server } = bare.apps.http.servers
  server.listen = server.listen.filter((listener) => listener.startsWith('fd/'))
  server.routes = server.routes.slice(1)
  for (const { handle } of server.routes)
    for (const handler of handle) if (handler.load_balancing) delete handler.headers
  return bare
}

async function load(host, port, ca, caddyPid) {
  const before = [cpuOf(caddyPid), performance.now()]
  const result = await autocannon({
    amount,
    connections: 32,
    headers: { Host: `${host}:${port}` },
    timeout: 10,
    tlsOptions: { ca, servername: host },
    url: `https://localhost:${port}`,
  })
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx + result.errors} requests failed`)
  return {
    cpu: ((cpuOf(caddyPid) - before[0]) * 1000) / amount,
    rate: amount / ((performance.now() - before[1]) / 1000),
  }
}

/** A forwarder for the agent on a port of this machine. */
async function startForwarder(port, socket) {
  const program = resolve(`forwarder/linux-${process.arch === 'x64' ? 'amd64' : process.arch}`)
  const child = spawn(program, ['--port', `${port}`, '--socket', socket, '--', 'cat'], { stdio: ['pipe', 'ignore', 2] })
  const end = performance.now() + 5_000
  while (performance.now() < end) {
    const listens = await new Promise((done) => {
      const probe = connect(port, '127.0.0.1', () => done(Boolean(probe.destroy())))
      probe.once('error', () => done(false))
    })
    if (listens) return child
  }
  throw new Error('the forwarder does not listen')
}

/** The process that serves; the one that was started is `cat` by now. */
function endForwarder(child, port) {
  child.stdin.end()
  execFileSync('pkill', ['-f', `linux-.* --port ${port} --socket`])
}

const phases = { 'without the gate': [], 'as it is': [], 'through a forwarder': [] }
try {
  const hello = resolve('examples/hello')
  const { endpoints, name, runId } = JSON.parse(moat('run', '-d', '--json', '--name', 'loaded', hello))
  for (let other = 0; other < others; other += 1) moat('run', '-d', '--name', `other-${other}`, hello)
  moat('wait', name)
  const { caddy, port } = JSON.parse(moat('proxy', 'status', '--json'))
  const ca = readFileSync(join(home, 'proxy/ca/ca.crt'))
  const { hostname } = new URL(endpoints[0].url)
  const admin = new CaddyAdmin(join(home, 'proxy/admin.sock'))
  const config = await admin.readConfig()
  const inside = port + 1
  const forwarder = await startForwarder(inside, join(home, 'proxy/agents', runId, 'proxy.sock'))
  await load(hostname, port, ca, caddy.pid) // warms everything up
  for (let round = 0; round < rounds; round += 1) {
    await admin.replace([], withoutGate(config))
    phases['without the gate'].push(await load(hostname, port, ca, caddy.pid))
    await admin.replace([], config)
    phases['as it is'].push(await load(hostname, port, ca, caddy.pid))
    phases['through a forwarder'].push(await load(hostname, inside, ca, caddy.pid))
  }
  endForwarder(forwarder, inside)
  const reference = phases['without the gate']
  for (const [phase, results] of Object.entries(phases)) {
    const ratio = (key) => median(results.map((one, round) => one[key] / reference[round][key])).toFixed(3)
    const middle = (key, digits) => median(results.map((one) => one[key])).toFixed(digits)
    console.log(
      `${phase.padEnd(20)} ${middle('rate', 0)} req/s (× ${ratio('rate')})   Caddy ${middle('cpu', 1)} µs CPU a request (× ${ratio('cpu')})`,
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
