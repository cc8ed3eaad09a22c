// What the gate costs: throughput of plain tunnels against a direct connection, and memory with many tunnels open.
//   node bench/gate.mjs [rounds] [megabytes] [tunnels]
// This process stands for the agent and another one for the host, so that neither shares the gate's loop. A tunnel is measured as
// the gate alone makes it, and by the forwarder, as programs in containers reach it. Run it on a quiet machine.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from './figures.mjs'

const runId = 'run_0123456789ab'
const piece = Buffer.alloc(65_536)
/** However slow the machine is, it ends. Milliseconds. */
const longest = 600_000
/** So often all tunnels carry something at once: memory that grows with each time is a leak. */
const waves = 3

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
  const lead = await freePort()
  // What serves outlives the program in front of which it was started, as long as its container does.
  const program = resolve(`forwarder/linux-${process.arch === 'x64' ? 'amd64' : process.arch}`)
  const forwarder = spawn(program, ['--lead', `${lead}=${socketPath}`, '--', 'cat'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const late = setTimeout(() => {
    console.error(`It has not ended in ${longest / 60_000} minutes.`)
    process.exitCode = 1
    gate.kill('SIGKILL')
    host.kill('SIGKILL')
  }, longest)
  try {
    await tell(join(home, 'proxy/gate.sock'))
    await throughput({ lead, megabytes, port, rounds, socketPath })
    await memoryOf(gate.pid, tunnels, socketPath)
  } finally {
    clearTimeout(late)
    forwarder.stdin.end()
    for (const pid of serving(socketPath)) process.kill(pid, 'SIGKILL')
    gate.kill('SIGKILL')
    host.kill('SIGKILL')
    rmSync(directory, { force: true, recursive: true })
  }
}

async function throughput({ lead, megabytes, port, rounds, socketPath }) {
  const ways = {
    direct: async () => connect(port, '127.0.0.1'),
    tunnel: () => tunnel(socketPath),
    'by the forwarder': () => tunnel({ host: '127.0.0.1', port: lead }),
  }
  const figures = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1)
    for (const [name, open] of Object.entries(ways)) figures[name].push(await rate(await open(), megabytes))
  const direct = median(figures.direct)
  for (const [name, all] of Object.entries(figures))
    console.log(`${name}: ${median(all).toFixed(0)} MB/s, ${(median(all) / direct).toFixed(2)} of direct`)
}

async function memoryOf(pid, tunnels, socketPath) {
  const figures = [`${memory(pid)} MB before`]
  for (let wave = 1; wave <= waves; wave += 1) {
    const open = []
    for (let index = 0; index < tunnels; index += 1) open.push(await tunnel(socketPath))
    if (wave === 1) figures.push(`${memory(pid)} MB open`)
    await Promise.all(open.map((socket) => rate(socket, 2)))
    figures.push(`${memory(pid)} MB after 2 MB through each, ${wave} of ${waves}`)
  }
  console.log(`${tunnels} tunnels at once: ${figures.join('; ')}; ${memory(pid, 'VmHWM')} MB at most`)
}

/** Processes of the forwarder's that lead to this socket. */
function serving(socketPath) {
  const argumentsOf = (pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    } catch {
      // It has ended meanwhile.
      return []
    }
  }
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => argumentsOf(pid).some((word) => word.endsWith(`=${socketPath}`))).map(Number)
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
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

async function tunnel(where) {
  const socket = connect(where)
  socket.write('CONNECT host.test:443 HTTP/1.1\r\nHost: host.test:443\r\n\r\n')
  const [answer] = await once(socket, 'data')
  if (!String(answer).startsWith('HTTP/1.1 200 ')) throw new Error(`no tunnel: ${answer}`)
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

function memory(pid, what = 'VmRSS') {
  const found = new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Math.round(Number(found[1]) / 1_000)
}
