// What it costs that a request carries a credential that the agent does not have: small requests over TLS, straight to a host,
// through a plain tunnel of the gate, opened by Caddy, and opened with a grant's value put in. Interleaved, in one run.
//   npm run build && node bench/granted.mjs [rounds] [requests]      Needs an engine, Caddy (MOAT_CADDY) and node:22-slim.
// The host answers at once (so all of it is overhead), and after some milliseconds, as hosts elsewhere do.
import { execFile, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { connect, createServer as createServerOfStreams } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { median, say } from './figures.mjs'

const names = ['plain.test', 'opened.test', 'granted.test']
const systemBundle = '/etc/ssl/certs/ca-certificates.crt'
/** Milliseconds; a host in the same country is 10 to 30 away. */
const away = 20

if (process.argv[2] === 'host') serve(process.argv[3])
else await measure()

/** Answers `/` at once and `/away` later; with 200 to whoever needs no value or has it. */
function serve(directory) {
  const read = (name) => readFileSync(join(directory, name))
  const server = createServer(
    { cert: read('host.crt'), key: read('host.key'), keepAlive: true },
    (request, response) => {
      const isKnown = request.headers.host !== 'granted.test' || request.headers['x-api-key'] === 'the-value-of-a-grant'
      const answer = () => response.writeHead(isKnown ? 200 : 401, { 'content-length': 3 }).end('ok\n')
      if (request.url === '/away') setTimeout(answer, away)
      else answer()
    },
  )
  server.listen(0, '127.0.0.1', () => process.send(server.address().port))
}

async function measure() {
  const [rounds = 7, requests = 100] = process.argv.slice(2).map(Number)
  const directory = mkdtempSync(join(tmpdir(), 'moat-bench-'))
  const path = (name) => join(directory, name)
  makeCertificate(directory)
  const host = fork(fileURLToPath(import.meta.url), ['host', directory])
  const [port] = await once(host, 'message')
  const hosts = names.map((name) => `${name}:443=127.0.0.1:${port}`).join()
  const env = {
    ...process.env,
    MOAT_HOME: path('h'),
    MOAT_KEYCHAIN: 'off',
    MOAT_PROXY_PORT: '0',
    MOAT_TEST_HOSTS: hosts,
    SSL_CERT_FILE: path('ca.crt'),
  }
  const moat = (args, input) =>
    execFileSync(process.execPath, ['bin/run.js', ...args], { encoding: 'utf8', env, input, stdio: 'pipe' })
  try {
    moat(
      ['grant', 'api', '--host', 'granted.test', '--header', 'X-Api-Key', '--stdin', '--no-check'],
      'the-value-of-a-grant',
    )
    mkdirSync(path('app'))
    writeFileSync(
      path('app/moat.yaml'),
      'name: bench\ndependencies: [node@22]\ncommand: [sleep, "600"]\ngrants: [api]\nnetwork: {policy: strict, rules: [plain.test, {opened.test: ["allow GET /**"]}]}\n',
    )
    const { runId } = JSON.parse(moat(['run', '--yes', '-d', '--json', path('app')]))
    const gate = join(path('h'), 'proxy/agents', runId, 'gate.sock')
    const own = readFileSync(path('ca.crt'))
    const opening = readFileSync(join(path('h'), 'proxy/egress-ca/ca.crt'))
    const ways = {
      'straight to the host': () => tls(connect(port, '127.0.0.1'), 'plain.test', own),
      'a tunnel of the gate': async () => tls(await tunnel(gate, 'plain.test'), 'plain.test', own),
      opened: async () => tls(await tunnel(gate, 'opened.test'), 'opened.test', opening),
      'with a grant': async () => tls(await tunnel(gate, 'granted.test'), 'granted.test', opening),
    }
    for (const place of ['/', '/away']) {
      await kept(ways, place, rounds, place === '/' ? requests : Math.ceil(requests / 5))
      await fresh(ways, place, rounds, Math.ceil(requests / 10))
    }
    await byCurl({ gate, opening, own, port }, directory, rounds)
    const many = {}
    for (let round = 0; round < rounds; round += 1)
      for (const [name, open] of Object.entries(ways)) keep(many, name, await together(open, requests))
    say({
      against: 'straight to the host',
      group: 'p50 of a request, 8 connections at a time',
      samples: many,
      unit: 'ms',
    })
  } finally {
    for (const args of [
      ['stop', 'bench'],
      ['proxy', 'stop'],
    ])
      try {
        moat(args)
      } catch {}
    host.kill('SIGKILL')
    rmSync(directory, { force: true, recursive: true })
  }
}

/** One after the other over a connection that stays. */
async function kept(ways, place, rounds, requests) {
  const open = {}
  for (const [name, way] of Object.entries(ways)) open[name] = await way()
  const samples = {}
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, socket] of Object.entries(open)) {
      const times = []
      for (let index = 0; index < requests; index += 1) times.push(await timed(() => ask(socket, name, place)))
      keep(samples, name, median(times))
    }
  }
  for (const socket of Object.values(open)) socket.destroy()
  say({
    against: 'straight to the host',
    group: `p50 of a request, connection kept, host ${distance(place)}`,
    samples,
    unit: 'ms',
  })
}

/** Each over a connection of its own, as programs that run once do. */
async function fresh(ways, place, rounds, requests) {
  const samples = {}
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const times = []
      for (let index = 0; index < requests; index += 1)
        times.push(
          await timed(async () => {
            const socket = await way()
            await ask(socket, name, place)
            socket.destroy()
          }),
        )
      keep(samples, name, median(times))
    }
  }
  say({
    against: 'straight to the host',
    group: `p50 of a request, connection new, host ${distance(place)}`,
    samples,
    unit: 'ms',
  })
}

/** As curl itself counts: each time a program of its own, with the authorities of the machine and a new connection. */
async function byCurl({ gate, opening, own, port }, directory, rounds) {
  const bundle = join(directory, 'bundle.crt')
  const system = existsSync(systemBundle) ? [readFileSync(systemBundle)] : []
  writeFileSync(bundle, Buffer.concat([...system, own, opening]))
  // In a container, that is the relay.
  const relay = createServerOfStreams((client) => {
    const server = connect(gate)
    pipeline(client, server, () => {})
    pipeline(server, client, () => {})
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const through = ['--proxy', `http://127.0.0.1:${relay.address().port}`]
  const ways = {
    'straight to the host': ['--connect-to', `plain.test:443:127.0.0.1:${port}`, 'https://plain.test/'],
    'a tunnel of the gate': [...through, 'https://plain.test/'],
    opened: [...through, 'https://opened.test/'],
    'with a grant': [...through, 'https://granted.test/'],
  }
  const samples = {}
  const curl = async (args) => {
    const all = ['-sS', '-o', '/dev/null', '--cacert', bundle, '-w', '%{http_code} %{time_total}', ...args]
    const { stdout } = await promisify(execFile)('curl', all)
    const [status, seconds] = stdout.split(' ').map(Number)
    if (status !== 200) throw new Error(`${args.at(-1)}: ${stdout}`)
    return seconds * 1_000
  }
  for (let round = 0; round < rounds; round += 1)
    for (const [name, args] of Object.entries(ways)) {
      const times = []
      for (let index = 0; index < 10; index += 1) times.push(await curl(args))
      keep(samples, name, median(times))
    }
  relay.close()
  say({
    against: 'straight to the host',
    group: 'p50 of a request by curl, host that answers at once',
    samples,
    unit: 'ms',
  })
}

async function together(way, requests) {
  const times = []
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const socket = await way()
      for (let index = 0; index < requests / 4; index += 1)
        times.push(await timed(() => ask(socket, 'with a grant', '/')))
      socket.destroy()
    }),
  )
  return median(times)
}

function keep(samples, name, value) {
  samples[name] = [...(samples[name] ?? []), value]
}

function distance(place) {
  return place === '/' ? 'that answers at once' : `${away} ms away`
}

async function timed(action) {
  const start = performance.now()
  await action()
  return performance.now() - start
}

async function tunnel(socketPath, name) {
  const socket = connect(socketPath)
  socket.write(`CONNECT ${name}:443 HTTP/1.1\r\nHost: ${name}:443\r\n\r\n`)
  const [head] = await once(socket, 'data')
  if (!String(head).startsWith('HTTP/1.1 200')) throw new Error(String(head))
  return socket
}

async function tls(socket, servername, ca) {
  const secure = connectTls({ ca, servername, socket })
  secure.host = servername
  await once(secure, 'secureConnect')
  return secure
}

async function ask(socket, name, place) {
  socket.write(`GET ${place} HTTP/1.1\r\nHost: ${socket.host}\r\nX-Api-Key: mine\r\n\r\n`)
  let answer = ''
  while (!answer.endsWith('\r\n\r\nok\n')) answer += (await once(socket, 'data'))[0]
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`${name}: ${answer}`)
}

function makeCertificate(directory) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=Bench', '-days', '2')
  openssl('req', ...key, '-keyout', 'host.key', '-out', 'host.csr', '-subj', '/CN=host')
  writeFileSync(join(directory, 'ext'), `subjectAltName=${names.map((name) => `DNS:${name}`).join()}`)
  openssl(
    'x509',
    '-req',
    '-in',
    'host.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'ext',
    '-out',
    'host.crt',
  )
}
