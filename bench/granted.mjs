// What it costs that a request carries a credential that the agent does not have: small requests over TLS, straight to a host,
// through a plain tunnel of the gate, opened by Caddy, and opened with a grant's value put in. Interleaved, in one run.
//   npm run build && node bench/granted.mjs [rounds] [requests]      Needs an engine, Caddy (MOAT_CADDY) and node:22-slim.
// `by hand` is the least that a proxy could do: a Caddy with one route and the value in its config, reached by the same forwarder. The
// host answers at once (so all of it is overhead), and after some milliseconds, as hosts elsewhere do.
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { median, say } from './figures.mjs'
import {
  ask,
  away,
  computing,
  startAgent,
  startByHand,
  startForwarder,
  startHost,
  testHosts,
  tls,
  tunnel,
} from './granted-ways.mjs'

const systemBundle = '/etc/ssl/certs/ca-certificates.crt'
const against = 'straight to the host'

const [rounds = 7, requests = 100] = process.argv.slice(2).map(Number)
const directory = mkdtempSync(join(tmpdir(), 'moat-bench-'))
const path = (name) => join(directory, name)
const { host, port } = await startHost(directory)
const env = {
  ...process.env,
  MOAT_HOME: path('h'),
  MOAT_KEYCHAIN: 'off',
  MOAT_PROXY_PORT: '0',
  MOAT_TEST_HOSTS: testHosts(port),
  SSL_CERT_FILE: path('ca.crt'),
}
const moat = (args, input) =>
  execFileSync(process.execPath, ['bin/run.js', ...args], { encoding: 'utf8', env, input, stdio: 'pipe' })
const ends = []
try {
  const { runId } = startAgent(moat, directory)
  const byHand = await startByHand(directory, port)
  ends.push(() => byHand.caddy.kill('SIGKILL'))
  const forwarder = await startForwarder([join(path('h'), 'proxy/agents', runId, 'gate.sock'), byHand.socket])
  ends.push(forwarder.end)
  await measure(forwarder.ports)
} finally {
  for (const args of [
    ['stop', 'bench'],
    ['proxy', 'stop'],
  ])
    try {
      moat(args)
    } catch {}
  for (const end of ends) end()
  host.kill('SIGKILL')
  rmSync(directory, { force: true, recursive: true })
}

async function measure([gate, hand]) {
  const own = readFileSync(path('ca.crt'))
  const opening = readFileSync(join(path('h'), 'proxy/egress-ca/ca.crt'))
  const ways = {
    [against]: () => tls(connect(port, '127.0.0.1'), 'plain.test', own),
    'by hand': () => tls(connect(hand, '127.0.0.1'), 'granted.test', own),
    'a tunnel of the gate': async () => tls(await tunnel(gate, 'plain.test'), 'plain.test', own),
    opened: async () => tls(await tunnel(gate, 'opened.test'), 'opened.test', opening),
    'with a grant': async () => tls(await tunnel(gate, 'granted.test'), 'granted.test', opening),
  }
  for (const place of ['/', '/away']) {
    const where = `host ${place === '/' ? 'that answers at once' : `${away} ms away`}`
    const count = place === '/' ? requests : Math.ceil(requests / 5)
    await kept(ways, place, `p50 of a request, connection kept, ${where}`, count)
    await fresh(ways, place, `p50 of a request, connection new, ${where}`, Math.ceil(requests / 10))
  }
  await byCurl({ gate, hand, opening, own })
  await together(ways, 'p50 of a request, 8 connections at a time')
}

/** One after the other over a connection that stays. */
async function kept(ways, place, group, count) {
  const open = {}
  for (const [name, way] of Object.entries(ways)) open[name] = await way()
  await compare(group, open, count, (socket, name) => ask(socket, name, place))
  for (const socket of Object.values(open)) socket.destroy()
}

/** Each over a connection of its own, as programs that run once do. */
function fresh(ways, place, group, count) {
  return compare(group, ways, count, async (way, name) => {
    const socket = await way()
    await ask(socket, name, place)
    socket.destroy()
  })
}

/** In turn, round for round; what all that is on this machine has computed for one stands beside it. */
async function compare(group, ways, count, action) {
  const samples = {}
  const used = {}
  for (let round = 0; round < rounds; round += 1)
    for (const [name, way] of Object.entries(ways)) {
      const before = computing([directory])
      const times = []
      for (let index = 0; index < count; index += 1) times.push(await timed(() => action(way, name)))
      keep(samples, name, median(times))
      keep(used, name, (computing([directory]) - before) / count)
    }
  const notes = Object.fromEntries(
    Object.entries(used).map(([name, all]) => [name, `computing ${median(all).toFixed(2)} ms`]),
  )
  say({ against, group, notes, samples, unit: 'ms' })
}

/** As curl itself counts: each time a program of its own, with the authorities of the machine and a new connection. */
async function byCurl({ gate, hand, opening, own }) {
  const bundle = path('bundle.crt')
  const system = existsSync(systemBundle) ? [readFileSync(systemBundle)] : []
  writeFileSync(bundle, Buffer.concat([...system, own, opening]))
  const through = ['--proxy', `http://127.0.0.1:${gate}`]
  const ways = {
    [against]: ['--connect-to', `plain.test:443:127.0.0.1:${port}`, 'https://plain.test/'],
    'by hand': ['--connect-to', `granted.test:443:127.0.0.1:${hand}`, 'https://granted.test/'],
    'a tunnel of the gate': [...through, 'https://plain.test/'],
    opened: [...through, 'https://opened.test/'],
    'with a grant': [...through, 'https://granted.test/'],
  }
  const samples = {}
  for (let round = 0; round < rounds; round += 1)
    for (const [name, args] of Object.entries(ways)) {
      const times = []
      for (let index = 0; index < 10; index += 1) times.push(await curl(bundle, args))
      keep(samples, name, median(times))
    }
  say({ against, group: 'p50 of a request by curl, host that answers at once', samples, unit: 'ms' })
}

async function curl(bundle, args) {
  const all = ['-sS', '-o', '/dev/null', '--cacert', bundle, '-w', '%{http_code} %{time_total}', ...args]
  const { stdout } = await promisify(execFile)('curl', all)
  const [status, seconds] = stdout.split(' ').map(Number)
  if (status !== 200) throw new Error(`${args.at(-1)}: ${stdout}`)
  return seconds * 1_000
}

async function together(ways, group) {
  const samples = {}
  for (let round = 0; round < rounds; round += 1)
    for (const [name, way] of Object.entries(ways)) {
      const times = []
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          const socket = await way()
          for (let index = 0; index < requests / 4; index += 1) times.push(await timed(() => ask(socket, name, '/')))
          socket.destroy()
        }),
      )
      keep(samples, name, median(times))
    }
  say({ against, group, samples, unit: 'ms' })
}

function keep(samples, name, value) {
  samples[name] = [...(samples[name] ?? []), value]
}

async function timed(action) {
  const start = performance.now()
  await action()
  return performance.now() - start
}
