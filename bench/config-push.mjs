// What adding one endpoint costs Caddy: the push, the first handshake of the new host, and a warm one.
// Usage: npm run build && node bench/config-push.mjs [endpoints…]      Needs MOAT_CADDY.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { ensureAuthority } from '../dist/authority/root.js'
import { CaddyAdmin } from '../dist/caddy/admin.js'
import { configChange } from '../dist/caddy/config-change.js'
import { spawnCaddy } from '../dist/caddy/spawn-caddy.js'
import { toCaddyConfig } from '../dist/caddy/to-caddy-config.js'
import { moatPaths } from '../dist/config/paths.js'
import { prepareAgentDirectories } from '../dist/supervisor/agent-directories.js'
import { bindPorts } from '../dist/supervisor/bind-ports.js'

const pushes = 21
/** More agents than this run on no machine of a developer. */
const mostSockets = 200
const handshakes = 200
const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10, 200, 5_000]
const home = mkdtempSync(join(tmpdir(), 'moat-bench-'))
const paths = moatPaths({ MOAT_HOME: home })
await ensureAuthority(paths, 'localhost')

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)].toFixed(1)

async function timed(action) {
  const start = performance.now()
  await action()
  return performance.now() - start
}

function shakeHands(servername, port) {
  const ca = readFileSync(paths.caCertificate)
  return new Promise((done, failed) => {
    const socket = connect({ ca, host: '127.0.0.1', port, servername }, () => done(socket.destroy()))
    socket.once('error', failed)
  })
}

/** `sockets`: each endpoint is of an agent whose container has a socket of its own. */
async function measure(count, sockets) {
  const bound = await bindPorts(0)
  const { caddyStorage: storage } = paths
  const listeners = bound.descriptors.map((_, index) => `fd/${3 + index}`)
  const settings = { ...paths, domain: 'localhost', listeners, port: bound.port, recorded: [], storage }
  const route = (host) => ({ dial: '127.0.0.1:9', host, protocol: 'http' })
  const routes = Array.from({ length: count }, (_, index) => route(`web.agent-${index}.localhost`))
  const configOf = async () => {
    const agents = routes.map(({ host }, index) => ({ agent: host.split('.')[1], runId: `run_${index}` }))
    const agentSockets = sockets ? agents : []
    await prepareAgentDirectories(paths, agentSockets)
    return toCaddyConfig(settings, { agentSockets, hostRoutes: [], upstreams: routes })
  }
  let config = await configOf()
  const spawned = { binary: process.env.MOAT_CADDY, config, env: process.env, listeningFds: bound.descriptors, paths }
  const caddy = await spawnCaddy({ ...spawned, onInherited: bound.close })
  const admin = new CaddyAdmin(paths.adminSocket)
  const times = []
  for (let push = 0; push < pushes; push += 1) {
    routes.push(route(`web.new-${push}.localhost`))
    const next = await configOf()
    const { path, value } = configChange(config, next)
    times.push(await timed(() => admin.replace(path, value)))
    config = next
  }
  const host = `web.new-${pushes - 1}.localhost`
  const first = await timed(() => shakeHands(host, bound.port))
  const warm = []
  for (let round = 0; round < handshakes; round += 1) warm.push(await timed(() => shakeHands(host, bound.port)))
  console.log(
    `${count} endpoints${sockets ? ', a socket each' : ''}: push ${median(times)} ms, handshake first ${first.toFixed(1)} ms, warm ${median(warm)} ms`,
  )
  const alive = setInterval(() => {}, 1_000)
  await admin.stop()
  await caddy.exited
  clearInterval(alive)
}

for (const count of counts) await measure(count, false)
for (const count of counts.filter((count) => count <= mostSockets)) await measure(count, true)
rmSync(home, { force: true, recursive: true })
