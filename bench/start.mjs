// How long until an agent answers: `moat run -d` to the first 200 through its URL, proxy cold and warm, beside
// `docker run -d` of the same image to the first 200 on its published port. Also list, and memory of the proxy.
// Usage: npm run build && node bench/start.mjs [runs]      Needs an engine, Caddy and the image node:22-slim.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const runs = Number(process.argv[2] ?? 10)
const home = mkdtempSync(join(tmpdir(), 'moat-bench-'))
const hello = resolve('examples/hello')
const env = { ...process.env, MOAT_HOME: home, MOAT_PROXY_PORT: '0' }
const moat = (...args) =>
  execFileSync(process.execPath, ['bin/run.js', ...args], { encoding: 'utf8', env, stdio: 'pipe' })
const docker = (...args) => execFileSync('docker', args, { encoding: 'utf8', stdio: 'pipe' }).trim()

/** Milliseconds that `action` takes. */
async function timed(action) {
  const start = performance.now()
  await action()
  return performance.now() - start
}

function get(url, options = {}) {
  const { hostname, protocol } = new URL(url)
  const request = protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((done, failed) => {
    const lookup = (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }])
    const outgoing = request(
      url,
      { agent: false, lookup, servername: hostname, timeout: 10_000, ...options },
      (response) => {
        response.resume().on('end', () => done(response.statusCode))
      },
    )
    outgoing.on('error', failed).end()
  })
}

/** Asks until the answer is 200. Bounded by 10 s. */
async function firstAnswer(url, options) {
  const end = performance.now() + 10_000
  while (performance.now() < end) {
    if ((await get(url, options).catch(() => 0)) === 200) return
    await new Promise((done) => setTimeout(done, 5))
  }
  throw new Error(`${url} did not answer`)
}

async function startAgent() {
  const agent = JSON.parse(moat('run', '-d', '--json', hello))
  await firstAnswer(agent.endpoints[0].url, { ca: readFileSync(join(home, 'proxy/ca/ca.crt')) })
}

async function startContainer() {
  const args = [
    '--init',
    '-p',
    '127.0.0.1::3000',
    '-v',
    `${hello}:/workspace`,
    '-w',
    '/workspace',
    '-e',
    'HOST=0.0.0.0',
  ]
  docker('run', '-d', '--name', 'moat-bench', ...args, 'node:22-slim', 'node', 'server.js')
  await firstAnswer(`http://${docker('port', 'moat-bench', '3000')}`)
}

function rssOf(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}

const samples = {
  'docker run -d': [],
  'moat list': [],
  'moat run -d, proxy cold': [],
  'moat run -d, proxy warm': [],
  'node -e 0': [],
}
try {
  moat('proxy', 'start', '--detach') // makes the authority, which happens once in an installation
  moat('proxy', 'stop')
  for (let run = 0; run < runs; run += 1) {
    samples['moat run -d, proxy cold'].push(await timed(startAgent))
    moat('stop', 'hello')
    moat('proxy', 'start', '--detach')
    // Config changes are a second apart; the one of the stop above is not part of what is measured.
    await new Promise((done) => setTimeout(done, 1_100))
    samples['moat run -d, proxy warm'].push(await timed(startAgent))
    samples['moat list'].push(await timed(() => moat('list')))
    samples['node -e 0'].push(await timed(() => execFileSync(process.execPath, ['-e', '0'])))
    if (run === 0) {
      const { caddy, supervisor } = JSON.parse(moat('proxy', 'status', '--json'))
      console.log(`RSS: supervisor ${rssOf(supervisor.pid).toFixed(0)} MB, Caddy ${rssOf(caddy.pid).toFixed(0)} MB`)
    }
    moat('stop', 'hello')
    moat('proxy', 'stop')
    samples['docker run -d'].push(await timed(startContainer))
    docker('rm', '-f', 'moat-bench')
  }
  const reference = median(samples['docker run -d'])
  for (const [name, values] of Object.entries(samples)) {
    const middle = median(values)
    const range = `${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)}`
    console.log(
      `${name.padEnd(26)} median ${middle.toFixed(0).padStart(5)} ms  (${range})  ${(middle / reference).toFixed(2)} × docker run -d`,
    )
  }
} finally {
  moat('proxy', 'stop')
  rmSync(home, { force: true, recursive: true })
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
