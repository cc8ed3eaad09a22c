// What one agent more costs, with so many there already: by links, which is how most agents are reached, and by a push, which
// endpoints with options need. Medians; for links also what of it is this machine's file system. With a real Caddy, and the
// sockets of agents as their containers would make them.
// Usage: node bench/add-agent.mjs [agents…]      Linux, Node 24; needs MOAT_CADDY.
import { linkSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { say } from './figures.mjs'
import { source } from './source.mjs'

const { ensureAuthority } = await source('authority/root')
const { CaddyAdmin } = await source('caddy/admin')
const { configChange } = await source('caddy/config-change')
const { spawnCaddy } = await source('caddy/spawn-caddy')
const { toCaddyConfig } = await source('caddy/to-caddy-config')
const { moatPaths, wayInDirectory } = await source('config/paths')
const { makeAgentDirectory } = await source('doors/agent-directory')
const { Links } = await source('doors/links')
const { emptyTable } = await source('routing/route-table')
const { bindPorts } = await source('supervisor/bind-ports')

const rounds = 21
const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10, 200, 5_000]
const home = mkdtempSync(join(tmpdir(), 'mb-'))
const paths = moatPaths({ MOAT_HOME: home })
await ensureAuthority(paths, 'localhost')
const app = createServer((_request, response) => response.end('ok'))
const socket = join(home, 'app.sock')
await new Promise((done) => app.listen(socket, done))

async function timed(action) {
  const start = performance.now()
  await action()
  return performance.now() - start
}

/** An agent with one endpoint, and its sockets. */
async function makeAgent(index) {
  const runId = `run_${index.toString(16).padStart(12, '0')}`
  await makeAgentDirectory(paths, runId)
  for (const name of ['3000', '3000.quick']) linkSync(socket, join(wayInDirectory(paths, runId), name))
  return { agent: `agent-${index}`, host: `web.agent-${index}.localhost`, port: 3000, runId }
}

function shakeHands(servername, port) {
  const ca = readFileSync(paths.caCertificate)
  return new Promise((done, failed) => {
    const connection = connect({ ca, host: '127.0.0.1', port, servername }, () => done(connection.destroy()))
    connection.once('error', failed)
  })
}

async function measure(count, first) {
  const doors = []
  for (let index = 0; index < count; index += 1) doors.push(await makeAgent(first + index))
  const bound = await bindPorts(0)
  const inherited = bound.descriptors.map((_, index) => `fd/${3 + index}`)
  const names = { listener: inherited.at(-1), port: bound.namesPort, secret: '0123456789abcdef' }
  const own = { domain: 'localhost', listeners: inherited.slice(0, -1), names, port: bound.port, recorded: [] }
  // A path of that name is no settings.
  const settings = { ...paths, ...own, egress: undefined, storage: paths.caddyStorage }
  const upstreams = doors.map(({ host }) => ({ dial: '127.0.0.1:9', host: `x-${host}`, protocol: 'h2c' }))
  let config = toCaddyConfig(settings, { ...emptyTable, upstreams })
  const spawned = { binary: process.env.MOAT_CADDY, config, env: process.env, listeningFds: bound.descriptors, paths }
  const caddy = await spawnCaddy({ ...spawned, onInherited: bound.close })
  const admin = new CaddyAdmin(paths.adminSocket)
  const links = new Links({ domain: 'localhost', log: console.error, paths, uid: process.geteuid() })
  await links.apply({ ...emptyTable, doors })
  const [byLinks, byPush] = [[], []]
  for (let round = 0; round < rounds; round += 1) {
    doors.push(await makeAgent(first + count + round))
    byLinks.push(await timed(() => links.apply({ ...emptyTable, doors })))
    upstreams.push({ dial: '127.0.0.1:9', host: `web.new-${round}.localhost`, protocol: 'h2c' })
    const next = toCaddyConfig(settings, { ...emptyTable, upstreams })
    const { path, value } = configChange(config, next)
    byPush.push(await timed(() => admin.replace(path, value)))
    config = next
  }
  const handshake = await timed(() => shakeHands(doors.at(-1).host, bound.port))
  say({
    group: `one agent more beside ${count}`,
    samples: { 'by links (of the supervisor’s time)': byLinks, 'by a push': byPush, 'first handshake': [handshake] },
    unit: 'ms',
  })
  links.leave()
  const alive = setInterval(() => {}, 1_000)
  await admin.stop()
  await caddy.exited
  clearInterval(alive)
}

let first = 0
for (const count of counts) {
  await measure(count, first)
  first += count + rounds
}
app.close()
rmSync(home, { force: true, recursive: true })
