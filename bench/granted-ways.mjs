// The ways by which bench/granted.mjs asks one host: straight, by the smallest Caddy that could put a value in, and by moat. All
// but the first come by the forwarder, as programs in containers do.
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { connect, createServer as createServerOfStreams } from 'node:net'
import { join, resolve } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'

export const value = 'the-value-of-a-grant'
/** Milliseconds; a host in the same country is 10 to 30 away. */
export const away = 20
const names = ['plain.test', 'opened.test', 'granted.test']

if (process.argv[1] === fileURLToPath(import.meta.url)) serve(process.argv[2])

/** Answers `/` at once and `/away` later; with 200 to whoever needs no value or has it. */
function serve(directory) {
  const read = (name) => readFileSync(join(directory, name))
  const server = createServer(
    { cert: read('host.crt'), key: read('host.key'), keepAlive: true },
    (request, response) => {
      const isKnown = request.headers.host !== 'granted.test' || request.headers['x-api-key'] === value
      const answer = () => response.writeHead(isKnown ? 200 : 401, { 'content-length': 3 }).end('ok\n')
      if (request.url === '/away') setTimeout(answer, away)
      else answer()
    },
  )
  server.listen(0, '127.0.0.1', () => process.send(server.address().port))
}

/** The host, with certificates for its names. */
export async function startHost(directory) {
  makeCertificate(directory)
  const host = fork(fileURLToPath(import.meta.url), [directory])
  const [port] = await once(host, 'message')
  return { host, port }
}

export const testHosts = (port) => names.map((name) => `${name}:443=127.0.0.1:${port}`).join()

/** What agents have in their containers, here: a port that leads to a socket each. `end` ends what serves them, too. */
export async function startForwarder(sockets) {
  const program = resolve(`forwarder/linux-${process.arch === 'x64' ? 'amd64' : process.arch}`)
  const ports = await Promise.all(sockets.map(freePort))
  const leads = sockets.flatMap((socket, index) => ['--lead', `${ports[index]}=${socket}`])
  const forwarder = spawn(program, [...leads, '--', 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] })
  for (const port of ports) await until(() => answers(port))
  const end = () => {
    forwarder.stdin.end()
    // What serves outlives the program in front of which it was started, as long as its container does.
    for (const pid of processesWith(`${ports[0]}=${sockets[0]}`)) process.kill(pid, 'SIGKILL')
  }
  return { end, ports }
}

/** One route that sets the header, with TLS on both sides: no proxy that can be configured does less for a request. */
export async function startByHand(directory, port) {
  const socket = join(directory, 'by-hand.sock')
  const route = {
    handle: [
      {
        handler: 'reverse_proxy',
        headers: { request: { set: { Host: ['{http.request.hostport}'], 'X-Api-Key': [value] } } },
        transport: { compression: false, protocol: 'http', tls: { server_name: 'granted.test' } },
        upstreams: [{ dial: `127.0.0.1:${port}` }],
      },
    ],
  }
  const server = {
    automatic_https: { disable: true },
    listen: [`unix/${socket}`],
    protocols: ['h1', 'h2'],
    routes: [route],
    tls_connection_policies: [{ curves: ['x25519'] }],
  }
  const files = { certificate: join(directory, 'host.crt'), key: join(directory, 'host.key') }
  const config = {
    admin: { disabled: true },
    apps: { http: { servers: { hand: server } }, tls: { certificates: { load_files: [files] } } },
    logging: { logs: { default: { level: 'ERROR' } } },
    storage: { module: 'file_system', root: join(directory, 'by-hand') },
  }
  writeFileSync(join(directory, 'by-hand.json'), JSON.stringify(config))
  const env = { ...process.env, GOGC: '400', GOMEMLIMIT: '256MiB', SSL_CERT_FILE: join(directory, 'ca.crt') }
  const args = ['run', '--config', join(directory, 'by-hand.json')]
  const caddy = spawn(process.env.MOAT_CADDY ?? 'caddy', args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  await until(() => answers({ path: socket }))
  return { caddy, socket }
}

/** What becomes of an agent in moat.yaml, and its run. */
export function startAgent(moat, directory) {
  moat(['grant', 'api', '--host', 'granted.test', '--header', 'X-Api-Key', '--stdin', '--no-check'], value)
  mkdirSync(join(directory, 'app'))
  writeFileSync(
    join(directory, 'app/moat.yaml'),
    'name: bench\ndependencies: [node@22]\ncommand: [sleep, "600"]\ngrants: [api]\nnetwork: {policy: strict, rules: [plain.test, {opened.test: ["allow GET /**"]}]}\n',
  )
  return JSON.parse(moat(['run', '--yes', '-d', '--json', join(directory, 'app')]))
}

export async function tunnel(port, name) {
  const socket = connect(port, '127.0.0.1')
  socket.write(`CONNECT ${name}:443 HTTP/1.1\r\nHost: ${name}:443\r\n\r\n`)
  const [head] = await once(socket, 'data')
  if (!String(head).startsWith('HTTP/1.1 200')) throw new Error(String(head))
  return socket
}

export async function tls(socket, servername, ca) {
  const secure = connectTls({ ca, servername, socket })
  secure.host = servername
  await once(secure, 'secureConnect')
  return secure
}

export async function ask(socket, name, place) {
  socket.write(`GET ${place} HTTP/1.1\r\nHost: ${socket.host}\r\nX-Api-Key: mine\r\n\r\n`)
  let answer = ''
  while (!answer.endsWith('\r\n\r\nok\n')) answer += (await once(socket, 'data'))[0]
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`${name}: ${answer}`)
}

/** Milliseconds of a processor that this process, its children and whatever names one of these has used. */
export function computing(marks) {
  const own = [process.pid, ...marks.flatMap(processesWith)]
  const nanoseconds = (pid) => {
    try {
      const tasks = readdirSync(`/proc/${pid}/task`)
      const of = (task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0])
      return tasks.reduce((sum, task) => sum + of(task), 0)
    } catch {
      return 0
    }
  }
  return [...new Set(own)].reduce((sum, pid) => sum + nanoseconds(pid), 0) / 1e6
}

/** Of which an argument contains this text. */
function processesWith(text) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text)
      } catch {
        return false
      }
    })
}

async function answers(where) {
  const socket = connect(typeof where === 'number' ? { host: '127.0.0.1', port: where } : where)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function until(isSo) {
  const end = performance.now() + 10_000
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error('it does not begin')
    await new Promise((done) => setTimeout(done, 20))
  }
}

async function freePort() {
  const server = createServerOfStreams().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

function makeCertificate(directory) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=Bench', '-days', '2')
  openssl('req', ...key, '-keyout', 'host.key', '-out', 'host.csr', '-subj', '/CN=host')
  writeFileSync(join(directory, 'ext'), `subjectAltName=${names.map((name) => `DNS:${name}`).join()}`)
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext']
  openssl('x509', '-req', '-in', 'host.csr', ...by, '-days', '2', '-out', 'host.crt')
}
