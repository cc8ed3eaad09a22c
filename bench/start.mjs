// How long until an agent answers: `moat run -d` to the first 200 through its URL, proxy cold and warm, beside
// `docker run -d` of the same image to the first 200 on its published port; and how long until each command returns.
// Also list, and memory of the proxy. The port for docker is chosen beforehand, so that no second command is timed.
// Usage: npm run build && node bench/start.mjs [runs]      Needs an engine, Caddy and the image node:22-slim.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { say } from './figures.mjs'

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

async function startAgent(returned) {
  const start = performance.now()
  const agent = JSON.parse(moat('run', '-d', '--json', '--name', 'hello', hello))
  returned?.push(performance.now() - start)
  await firstAnswer(agent.endpoints[0].url, { ca: readFileSync(join(home, 'proxy/ca/ca.crt')) })
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

async function startContainer(port, returned) {
  const publish = ['-p', `127.0.0.1:${port}:3000`]
  const place = ['-v', `${hello}:/workspace`, '-w', '/workspace', '-e', 'HOST=0.0.0.0']
  const start = performance.now()
  docker('run', '-d', '--init', '--name', 'moat-bench', ...publish, ...place, 'node:22-slim', 'node', 'server.js')
  returned.push(performance.now() - start)
  await firstAnswer(`http://127.0.0.1:${port}`)
}

function rssOf(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}

const returned = 'returns'
const samples = {
  'docker run -d': [],
  [`docker run -d ${returned}`]: [],
  'moat list': [],
  'moat run -d, proxy cold': [],
  'moat run -d, proxy warm': [],
  [`moat run -d, warm, ${returned}`]: [],
  'node -e 0': [],
}
try {
  moat('proxy', 'start', '--detach') // makes the authority, which happens once in an installation
  moat('proxy', 'stop')
  for (let run = 0; run < runs; run += 1) {
    samples['moat run -d, proxy cold'].push(await timed(() => startAgent()))
    moat('stop', 'hello')
    moat('proxy', 'start', '--detach')
    // Config changes are a second apart; the one of the stop above is not part of what is measured.
    await new Promise((done) => setTimeout(done, 1_100))
    const warm = samples[`moat run -d, warm, ${returned}`]
    samples['moat run -d, proxy warm'].push(await timed(() => startAgent(warm)))
    samples['moat list'].push(await timed(() => moat('list')))
    samples['node -e 0'].push(await timed(() => execFileSync(process.execPath, ['-e', '0'])))
    if (run === 0) {
      const { caddy, supervisor } = JSON.parse(moat('proxy', 'status', '--json'))
      console.log(`RSS: supervisor ${rssOf(supervisor.pid).toFixed(0)} MB, Caddy ${rssOf(caddy.pid).toFixed(0)} MB`)
    }
    moat('stop', 'hello')
    moat('proxy', 'stop')
    const port = await freePort()
    samples['docker run -d'].push(await timed(() => startContainer(port, samples[`docker run -d ${returned}`])))
    docker('rm', '-f', 'moat-bench')
  }
  const isReturn = (name) => name.endsWith(returned)
  const pick = (chosen) => Object.fromEntries(Object.entries(samples).filter(([name]) => chosen(name)))
  const starts = pick((name) => name.includes('run -d') && !isReturn(name))
  say({ against: 'docker run -d', group: 'run -d, to the first 200', samples: starts, unit: 'ms' })
  say({ against: `docker run -d ${returned}`, group: 'run -d, to its return', samples: pick(isReturn), unit: 'ms' })
  say({ against: 'node -e 0', group: 'list', samples: pick((name) => !name.includes('run -d')), unit: 'ms' })
} finally {
  moat('proxy', 'stop')
  rmSync(home, { force: true, recursive: true })
}
