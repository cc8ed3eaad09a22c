// What it costs that containers reach the proxy: the gate before every request, and the way through the forwarder. Rounds of
// the same load in turn, so that what else the machine does falls on all: with a config that has neither the gate nor
// the headers it needs, with the config as it is, and through a forwarder that runs here, on the next port.
// Usage: npm run build && node bench/own-urls.mjs [rounds] [seconds]     Linux; needs an engine, Caddy and node:22-slim.
import { execFileSync, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { CaddyAdmin } from '../dist/caddy/admin.js'
import { cleanUp, home, load, report, rounds, startAgents } from './load-bench.mjs'

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
let end = () => {}
try {
  const { ca, loaded, proxy } = startAgents()
  const { hostname } = new URL(loaded.endpoints[0].url)
  const inside = proxy.port + 1
  const admin = new CaddyAdmin(join(home, 'proxy/admin.sock'))
  const config = await admin.readConfig()
  const forwarder = await startForwarder(inside, join(home, 'proxy/agents', loaded.runId, 'proxy.sock'))
  end = () => endForwarder(forwarder, inside)
  const oneRound = (port) => load(hostname, port, ca, proxy.caddy.pid)
  await oneRound(proxy.port) // warms everything up
  for (let round = 0; round < rounds; round += 1) {
    await admin.replace([], withoutGate(config))
    phases['without the gate'].push(await oneRound(proxy.port))
    await admin.replace([], config)
    phases['as it is'].push(await oneRound(proxy.port))
    phases['through a forwarder'].push(await oneRound(inside))
  }
  report(phases)
} finally {
  end()
  cleanUp()
}
