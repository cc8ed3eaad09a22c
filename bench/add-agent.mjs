// What one agent more costs, with so many there already: by links, which is how most agents are reached, and by a push, which
// endpoints with options need, where all others need one too and where none does. Medians, as CPU of this process, which stands for the supervisor, and as time that passes; for links
// also what of it is this machine's file system (the same names made by nothing but a loop), and what Caddy does meanwhile. With a
// real Caddy, and the sockets of agents as their containers would make them.
// Usage: node bench/add-agent.mjs [agents…]      Linux, Node 24; needs MOAT_CADDY.
import {
  linkSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
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
const { RouteTables } = await source('routing/route-tables')
const { bindPorts } = await source('supervisor/bind-ports')

const rounds = 41
const pushes = 11
/** Milliseconds. */
const pause = 20
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

/** Milliseconds of this process, whatever else the machine does. */
async function cpuTimed(action) {
  const before = process.cpuUsage()
  await action()
  const { system, user } = process.cpuUsage(before)
  return (system + user) / 1000
}

/** Milliseconds that all threads of a process have had. */
function cpuOf(pid) {
  const threads = readdirSync(`/proc/${pid}/task`)
  const spent = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  )
  return spent.reduce((sum, one) => sum + one, 0) / 1e6
}

/** An agent with one endpoint, and its sockets. */
async function makeAgent(index) {
  const runId = `run_${index.toString(16).padStart(12, '0')}`
  await makeAgentDirectory(paths, runId)
  for (const name of ['3000', '3000.quick']) linkSync(socket, join(wayInDirectory(paths, runId), name))
  return {
    containerId: `${index}`,
    endpoints: [{ name: 'web', port: 3000, type: 'http' }],
    forwards: [8080],
    name: `agent-${index}`,
    published: {},
    routes: [{ endpoint: 'web', upstream: { port: 3000, protocol: 'http' } }],
    runId,
    state: 'running',
    wayIn: 'sockets',
  }
}

/** As many names, links and watches as an agent needs, in the same directories, by nothing but system calls. */
async function touchFiles(index) {
  const name = (directory, ending = '') => join(paths.proxy, directory, `x-${index}${ending}`)
  const files = ['expected', 'names', 'own', 'ports'].map((directory) => name(directory))
  const more = ['expected', 'ports'].map((directory) => name(directory, '-bare'))
  for (const file of files) writeFileSync(file, '')
  const names = [...files.map((file) => `${file}-1`), ...more]
  const [model] = files
  const links = ['hosts', 'quick'].map((directory) => [name('staging'), name(directory), name(directory, '-bare')])
  const took = await timed(() => {
    for (const one of names) linkSync(model, one)
    watch(home, { persistent: false }, () => {}).close()
    for (const [staged, first, second] of links) {
      linkSync(socket, staged)
      lstatSync(staged)
      linkSync(staged, first)
      renameSync(staged, second)
      lstatSync(staged, { throwIfNoEntry: false })
    }
  })
  for (const one of [...files, ...names, ...links.flat()]) rmSync(one, { force: true })
  return took
}

function shakeHands(servername, port) {
  const ca = readFileSync(paths.caCertificate)
  return new Promise((done, failed) => {
    const connection = connect({ ca, host: '127.0.0.1', port, servername }, () => done(connection.destroy()))
    connection.once('error', failed)
  })
}

/** How long each of some pushes takes, of one endpoint more than the one before. */
async function timePushes(admin, configOf, upstreams) {
  const took = []
  let config = configOf(upstreams)
  await admin.replace([], config)
  for (let round = 0; round < pushes; round += 1) {
    upstreams.push({ dial: '127.0.0.1:9', host: `web.new-${round}.localhost`, protocol: 'h2c' })
    const next = configOf(upstreams)
    const { path, value } = configChange(config, next)
    took.push(await timed(() => admin.replace(path, value)))
    config = next
  }
  return took
}

async function measure(count, first) {
  let agents = []
  for (let index = 0; index < count; index += 1) agents.push(await makeAgent(first + index))
  const bound = await bindPorts(0)
  const inherited = bound.descriptors.map((_, index) => `fd/${3 + index}`)
  const names = { listener: inherited.at(-1), port: bound.namesPort, secret: '0123456789abcdef' }
  const own = { domain: 'localhost', listeners: inherited.slice(0, -1), names, port: bound.port, recorded: [] }
  // A path of that name is no settings.
  const settings = { ...paths, ...own, egress: undefined, storage: paths.caddyStorage }
  const upstreams = agents.map(({ name }) => ({ dial: '127.0.0.1:9', host: `x.${name}.localhost`, protocol: 'h2c' }))
  const configOf = (configured) => toCaddyConfig(settings, { ...emptyTable, upstreams: configured })
  const config = configOf(upstreams)
  const spawned = { binary: process.env.MOAT_CADDY, config, env: process.env, listeningFds: bound.descriptors, paths }
  const caddy = await spawnCaddy({ ...spawned, onInherited: bound.close })
  const admin = new CaddyAdmin(paths.adminSocket)
  const links = new Links({ domain: 'localhost', log: console.error, paths, uid: process.geteuid() })
  const tables = new RouteTables('localhost')
  await links.apply(tables.of(agents))
  const seen = { caddy: [], cpu: [], machine: [], table: [], took: [] }
  for (let round = 0; round < rounds; round += 1) {
    agents = [...agents, await makeAgent(first + count + round)]
    // A supervisor sits idle between two agents.
    await wait(pause)
    const caddyBefore = cpuOf(caddy.identity.pid)
    let table
    seen.table.push(await cpuTimed(() => (table = tables.of(agents))))
    let cpu
    seen.took.push(await timed(async () => (cpu = await cpuTimed(() => links.apply(table)))))
    seen.cpu.push(cpu)
    seen.caddy.push(cpuOf(caddy.identity.pid) - caddyBefore)
    seen.machine.push(await touchFiles(first + count + round))
  }
  // Only now: what these leave to be collected is not to be counted above.
  seen.ordinary = await timePushes(admin, configOf, [])
  seen.push = await timePushes(admin, configOf, upstreams)
  const handshake = await timed(() => shakeHands(`web.${agents.at(-1).name}.localhost`, bound.port))
  say({
    group: `one agent more beside ${count}`,
    samples: {
      'by links': seen.took,
      'by links, CPU of the supervisor': seen.cpu,
      'of it the machine’s file system': seen.machine,
      'its routes, CPU of the supervisor': seen.table,
      'CPU of Caddy meanwhile': seen.caddy,
      'by a push, the others ordinary': seen.ordinary,
      'by a push, as all the others': seen.push,
      'first handshake': [handshake],
    },
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
