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

/** Sends as much as it is asked for, `<bytes>\n`; asked for nothing, it takes what comes, and says how much that was. */
function serve() {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.once('data', (line) => {
      const wanted = Number.parseInt(line, 10)
      if (wanted > 0) return send(socket, wanted)
      let taken = line.length
      socket.on('data', (data) => {
        taken += data.length
      })
      return socket.once('end', () => socket.end(`${taken}`))
    })
  })
  server.listen(0, '127.0.0.1', () => process.send(server.address().port))
}

/** All of it, and the end. */
function send(socket, bytes) {
  let left = bytes
  const write = () => {
    while (left > 0) {
      const next = left < piece.length ? piece.subarray(0, left) : piece
      left -= next.length
      if (!socket.write(next)) return socket.once('drain', write)
    }
    return socket.end()
  }
  write()
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

/** Each way is compared with the direct one of the same round, whatever else the machine does meanwhile. */
async function throughput({ lead, megabytes, port, rounds, socketPath }) {
  const ways = {
    direct: async () => connect({ allowHalfOpen: true, host: '127.0.0.1', port }),
    tunnel: () => tunnel({ allowHalfOpen: true, path: socketPath }),
    'by the forwarder': () => tunnel({ allowHalfOpen: true, host: '127.0.0.1', port: lead }),
  }
  for (const [what, measured] of Object.entries({ down: rate, up: rateUp })) {
    const all = []
    for (let round = 0; round < rounds; round += 1) {
      const figures = {}
      for (const [name, open] of Object.entries(ways)) figures[name] = await measured(await open(), megabytes)
      all.push(figures)
    }
    for (const name of Object.keys(ways)) {
      const [speed, part] = [(one) => one[name], (one) => one[name] / one.direct].map((of) => median(all.map(of)))
      console.log(`${what}, ${name}: ${speed.toFixed(0)} MB/s, ${part.toFixed(2)} of direct`)
    }
  }
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
  socket.once('end', () => socket.end())
  await once(socket, 'close')
  if (received !== wanted) throw new Error(`${received} bytes of ${wanted}`)
  return wanted / 1_000 / (performance.now() - start)
}

/** The same of what is sent. */
async function rateUp(socket, megabytes) {
  const bytes = megabytes * 1_000_000
  let answer = ''
  const start = performance.now()
  socket.on('data', (data) => {
    answer += data
  })
  socket.write('0\n')
  send(socket, bytes)
  await once(socket, 'close')
  if (Number(answer) !== bytes + 2) throw new Error(`${answer} bytes of ${bytes + 2}`)
  return bytes / 1_000 / (performance.now() - start)
}

function memory(pid, what = 'VmRSS') {
  const found = new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Math.round(Number(found[1]) / 1_000)
}
