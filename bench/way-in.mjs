// What the way in costs: requests a second and Caddy's CPU for each, HTTP/1.1 and HTTP/2, small answers and 1 MB, against the
// same Caddy with one hand-written route to the container's address and to the agent's socket, against an earlier moat, and,
// where there are other agents beside, against a moat that has none.
// Rounds of the same load in turn, so that what else the machine does falls on all.
// Usage: npm run build && node bench/way-in.mjs [rounds] [seconds] [checkout of an earlier moat, built] [agents]
// With MOAT_BENCH_OTHERS=1 also nginx and portless (from npm), with the same certificate.
// Linux; needs an engine, Caddy (MOAT_CADDY), h2load (nghttp2-client) and, for the first run, the image that it builds.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { median, say } from './figures.mjs'
import { startOthers } from './other-proxies.mjs'

// Before minutes of starting what it is to load.
if (spawnSync('h2load', ['--version']).error) {
  console.error('There is no h2load. Try: apt-get install -y nghttp2-client')
  process.exit(1)
}
const [rounds = 3, seconds = 3] = process.argv.slice(2, 4).map(Number)
const earlier = process.argv[4]
const others = Number(process.argv[5] ?? 0)
const caddy = process.env.MOAT_CADDY ?? 'caddy'
const work = mkdtempSync(join(tmpdir(), 'mb-'))
const dials = { small: '/small', large: '/large' }
const loads = { 'HTTP/1.1': ['--h1', '-c16'], 'HTTP/2': ['-c4', '-m16'] }

const run = (program, args, options = {}) => execFileSync(program, args, { encoding: 'utf8', ...options })

/** One moat with its own home: an agent with nginx, and as many others as were asked for. */
function startMoat(checkout, name, others = 0) {
  const home = join(work, name)
  const env = { ...process.env, MOAT_HOME: home, MOAT_PROXY_PORT: '0' }
  const moat = (...args) =>
    run(process.execPath, [join(checkout, 'bin/run.js'), ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const workspace = join(work, `${name}-app`)
  run('mkdir', ['-p', workspace])
  writeFileSync(join(workspace, 'small'), 'ok\n')
  writeFileSync(join(workspace, 'large'), Buffer.alloc(1_000_000, 'x'))
  writeFileSync(
    join(workspace, 'nginx.conf'),
    'worker_processes 1;\nerror_log /dev/null;\npid /tmp/nginx.pid;\nevents { worker_connections 4096; }\nhttp { access_log off; sendfile on; keepalive_requests 1000000;\nclient_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;\nserver { listen 3000; root /workspace; } }\n',
  )
  writeFileSync(
    join(workspace, 'moat.yaml'),
    `name: ${name}\nbase_image: node:22-slim\ndependencies: ["apt:nginx"]\nports: {web: 3000}\ncommand: [nginx, -c, /workspace/nginx.conf, -g, "daemon off;"]\n`,
  )
  const yes = checkout === resolve('.') ? ['--yes'] : []
  const { endpoints, runId } = JSON.parse(moat('run', '-d', '--json', ...yes, workspace))
  const idle = join(work, `${name}-idle`)
  run('mkdir', ['-p', idle])
  writeFileSync(join(idle, 'moat.yaml'), 'dependencies: [node@22]\nports: {web: 3000}\ncommand: [sleep, "100000"]\n')
  for (let index = 0; index < others; index += 1) moat('run', '-d', '--name', `idle-${index}`, idle)
  moat('wait', name, 'web', '--timeout', '20')
  const proxy = JSON.parse(moat('proxy', 'status', '--json'))
  const stop = () => {
    for (const agent of JSON.parse(moat('list', '--json')).agents) moat('stop', agent.name)
  }
  const id = run('docker', ['ps', '-q', '--filter', `label=dev.moat.run-id=${runId}`]).trim()
  const [{ NetworkSettings }] = JSON.parse(run('docker', ['inspect', id]))
  const container = Object.values(NetworkSettings.Networks)[0].IPAddress
  return { container, home, host: new URL(endpoints[0].url).hostname, id, proxy, runId, stop }
}

/** The same Caddy with nothing but one route. */
async function startByHand(name, dial, { home, host }) {
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const admin = join(work, `${name}.sock`)
  const ca = join(home, 'proxy/ca')
  const config = {
    admin: { config: { persist: false }, listen: `unix/${admin}` },
    apps: {
      http: {
        servers: {
          hand: {
            automatic_https: { disable: true },
            listen: [`127.0.0.1:${port}`],
            protocols: ['h1', 'h2'],
            routes: [
              {
                handle: [
                  {
                    handler: 'reverse_proxy',
                    transport: { keep_alive: { max_idle_conns_per_host: 256 }, protocol: 'http' },
                    upstreams: [{ dial }],
                  },
                ],
                match: [{ host: [host] }],
              },
            ],
            tls_connection_policies: [{}],
          },
        },
      },
      pki: {
        certificate_authorities: {
          local: {
            install_trust: false,
            intermediate_lifetime: '8760h',
            root: { certificate: join(ca, 'ca.crt'), format: 'pem_file', private_key: join(ca, 'ca.key') },
          },
        },
      },
      tls: {
        automation: {
          policies: [
            {
              issuers: [{ ca: 'local', lifetime: '720h', module: 'internal' }],
              key_type: 'p256',
              on_demand: true,
              subjects: [host],
            },
          ],
        },
      },
    },
    logging: { logs: { default: { level: 'ERROR' } } },
    storage: { module: 'file_system', root: join(work, `${name}-storage`) },
  }
  const env = { GOGC: '400', GODEBUG: 'http2xconnect=1', GOMEMLIMIT: '256MiB', HOME: work, PATH: process.env.PATH }
  const child = spawn(caddy, ['run', '--config', '-'], { cwd: work, env, stdio: ['pipe', 'ignore', 'ignore'] })
  child.stdin.end(JSON.stringify(config))
  await wait(500)
  return { host, pid: child.pid, port, stop: () => child.kill('SIGKILL') }
}

/** User and system time of a process, in seconds. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function load({ host, pid, port }, path, flags) {
  const before = cpuOf(pid)
  const url = `https://${host}:${port}${path}`
  const connect = `--connect-to=127.0.0.1:${port}`
  const text = run('h2load', [...flags, '-t1', `-D${seconds}`, '--warm-up-time=1s', connect, url])
  const rate = Number(/finished in .*?, ([\d.]+) req\/s/.exec(text)?.[1])
  const [, done, failed] = /(\d+) succeeded, (\d+) failed/.exec(text) ?? []
  if (Number(failed) > 0) throw new Error(text)
  return { cpu: ((cpuOf(pid) - before) / Number(done)) * 1e6, rate }
}

/** Forwards and backwards: who comes after whom is not to count. */
const inTurn = (ways, round) => (round % 2 ? Object.entries(ways).toReversed() : Object.entries(ways))

const stops = []
try {
  const now = startMoat(resolve('.'), 'now', others)
  stops.push(now.stop)
  const ways = {
    'by hand, to the address': await startByHand('address', `${now.container}:3000`, now),
    'by hand, to the socket': await startByHand('socket', `unix/${now.home}/proxy/hosts/${now.host}`, now),
    moat: { host: now.host, pid: now.proxy.caddy.pid, port: now.proxy.port },
  }
  stops.push(ways['by hand, to the address'].stop, ways['by hand, to the socket'].stop)
  if (others > 0) {
    const alone = startMoat(resolve('.'), 'alone')
    stops.push(alone.stop)
    ways['moat with one agent'] = { host: alone.host, pid: alone.proxy.caddy.pid, port: alone.proxy.port }
  }
  if (earlier) {
    const before = startMoat(resolve(earlier), 'before', others)
    stops.push(before.stop)
    ways['moat before'] = { host: before.host, pid: before.proxy.caddy.pid, port: before.proxy.port }
  }
  if (process.env.MOAT_BENCH_OTHERS) {
    for (const [name, way] of Object.entries(await startOthers({ now, work }))) {
      stops.push(way.stop)
      ways[name] = way
    }
  }
  for (const [size, path] of Object.entries(dials)) {
    for (const [protocol, flags] of Object.entries(loads)) {
      const seen = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
      for (let round = 0; round < rounds; round += 1)
        for (const [name, way] of inTurn(ways, round)) seen[name].push(load(way, path, flags))
      const each = (key) => Object.entries(seen).map(([name, all]) => [name, all.map((one) => one[key])])
      const cpu = each('cpu').map(([name, all]) => [name, `${median(all).toFixed(0)} µs of the proxy's CPU each`])
      say({
        against: 'by hand, to the address',
        group: `requests a second, ${size}, ${protocol}`,
        notes: Object.fromEntries(cpu),
        samples: Object.fromEntries(each('rate')),
        unit: 'req/s',
      })
    }
  }
} finally {
  for (const stop of stops.toReversed()) stop()
  rmSync(work, { force: true, recursive: true })
}
