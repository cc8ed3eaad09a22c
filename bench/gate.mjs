// What the gate costs: throughput of plain tunnels against a direct connection, and memory with many tunnels open.
//   node bench/gate.mjs [rounds] [megabytes] [tunnels]
// Two processes of its own stand for agent and host, so that neither shares the gate's loop. Run it on a quiet machine.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from './figures.mjs'

const runId = 'run_0123456789ab'
const piece = Buffer.alloc(65_536)

if (process.argv[2] === 'host') serve()
else await measure()

/** Sends as much as it is asked for: `<bytes>\n`. */
function serve() {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (line) => {
      let left = Number(line)
      const write = () => {
        while (left > 0) {
          const next = left < piece.length ? piece.subarray(0, left) : piece
          left -= next.length
          if (!socket.write(next)) return socket.once('drain', write)
        }
        return socket.end()
      }
      if (left > 0) write()
    })
  })
  server.listen(0, '127.0.0.1', () => process.send(server.address().port))
}

async function measure() {
  const [rounds = 5, megabytes = 500, tunnels = 500] = process.argv.slice(2).map(Number)
  const directory = mkdtempSync(join(tmpdir(), 'moat-bench-gate-'))
  const home = join(directory, 'home')
  const socketPath = join(home, 'proxy/agents', runId, 'gate.sock')
  mkdirSync(join(home, 'proxy/agents', runId), { recursive: true })
  const host = fork(fileURLToPath(import.meta.url), ['host'])
  const [port] = await once(host, 'message')
  const env = { ...process.env, MOAT_TEST_HOSTS: `host.test:443=127.0.0.1:${port}` }
  const gate = spawn(process.execPath, ['--max-semi-space-size=4', resolve('bin/gate.js'), home, 'bench'], {
    env,
    stdio: 'inherit',
  })
  try {
    await tell(join(home, 'proxy/gate.sock'))
    const direct = () => connect(port, '127.0.0.1')
    const figures = { direct: [], tunnel: [] }
    for (let round = 0; round < rounds; round += 1) {
      figures.direct.push(await rate(direct(), megabytes))
      figures.tunnel.push(await rate(await tunnel(socketPath), megabytes))
    }
    const [one, other] = [median(figures.direct), median(figures.tunnel)]
    console.log(`direct ${one.toFixed(0)} MB/s, tunnel ${other.toFixed(0)} MB/s: ${(other / one).toFixed(2)}`)
    const before = memory(gate.pid)
    const open = []
    for (let index = 0; index < tunnels; index += 1) open.push(await tunnel(socketPath))
    const idle = memory(gate.pid)
    await Promise.all(open.map((socket) => rate(socket, 2)))
    console.log(
      `${tunnels} tunnels: ${before} MB before, ${idle} MB open, ${memory(gate.pid)} MB after 2 MB through each`,
    )
  } finally {
    gate.kill('SIGKILL')
    host.kill('SIGKILL')
    rmSync(directory, { force: true, recursive: true })
  }
}

async function tell(controlSocket) {
  const rules = [{ effect: 'allow', host: 'host.test', text: 'host.test' }]
  const table = [{ name: 'bench', policy: { host: [], peers: [], policy: 'strict', rules }, runId }]
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const asked = request({ method: 'PUT', path: '/table', socketPath: controlSocket })
    const answered = await new Promise((done) => {
      asked.on('response', (response) => done(response.resume().statusCode === 200)).on('error', () => done(false))
      asked.end(JSON.stringify(table))
    })
    if (answered) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error('the gate does not answer')
}

async function tunnel(socketPath) {
  const socket = connect(socketPath)
  socket.write('CONNECT host.test:443 HTTP/1.1\r\nHost: host.test:443\r\n\r\n')
  await once(socket, 'data')
  return socket
}

/** Megabytes a second. */
async function rate(socket, megabytes) {
  const wanted = megabytes * 1_000_000
  let received = 0
  const start = performance.now()
  socket.on('data', (data) => {
    received += data.length
  })
  socket.write(`${wanted}\n`)
  await once(socket, 'close')
  if (received !== wanted) throw new Error(`${received} bytes of ${wanted}`)
  return wanted / 1_000 / (performance.now() - start)
}

function memory(pid) {
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_000)
}
