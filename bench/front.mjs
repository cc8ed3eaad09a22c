// What it costs that one port serves HTTPS, plain HTTP and databases: requests a second and Caddy's CPU for each over connections
// that are kept, and for each new one, with the layer4 module and without it. It is one and the same Caddy, which is kept from telling that it has
// the module. Many short rounds of the same load in turn, each way first in every other one, so that what else the machine does falls on
// both: few long ones said anything on a busy machine. The ratio of CPU is the median of those of the rounds.
// Usage: npm run build && MOAT_CADDY=/path/to/one/with/layer4 node bench/front.mjs [rounds] [requests]
// Linux; needs an engine, h2load (nghttp2-client) and the image node:22-slim.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { median, say } from './figures.mjs'

const [rounds = 30, requests = 5_000] = process.argv.slice(2, 4).map(Number)
const caddy = process.env.MOAT_CADDY ?? 'caddy'
const run = (program, args, options = {}) => execFileSync(program, args, { encoding: 'utf8', ...options })
if (!run(caddy, ['list-modules']).includes('caddy.listeners.layer4')) {
  console.error('This Caddy has no layer4 module: there is nothing to compare. moat setup gets one that has.')
  process.exit()
}

const work = mkdtempSync(join(tmpdir(), 'mb-'))
const newConnections = 300

/** One moat with its own home, and an agent that answers with a word. */
function startMoat(name, program) {
  const env = { ...process.env, MOAT_CADDY: program, MOAT_HOME: join(work, name), MOAT_PROXY_PORT: '0' }
  const moat = (...args) =>
    run(process.execPath, [resolve('bin/run.js'), ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const workspace = join(work, `${name}-app`)
  mkdirSync(workspace)
  writeFileSync(
    join(workspace, 'moat.yaml'),
    `name: ${name}\ndependencies: [node@22]\nports: {web: 3000}\ncommand: [node, server.js]\n`,
  )
  writeFileSync(
    join(workspace, 'server.js'),
    "require('node:http').createServer((_, response) => response.end('ok')).listen(3000)\n",
  )
  const { endpoints } = JSON.parse(moat('run', '-d', '--json', '--yes', workspace))
  moat('wait', name, 'web', '--timeout', '60')
  const { caddy: running, port } = JSON.parse(moat('proxy', 'status', '--json'))
  return {
    host: new URL(endpoints[0].url).hostname,
    layer4: running.layer4,
    pid: running.pid,
    port,
    stop: () => {
      moat('stop', name)
      moat('proxy', 'stop')
    },
  }
}

/** Time that the threads of a process have run, in seconds. Go's live as long as the process. */
function cpuOf(pid) {
  const threads = readdirSync(`/proc/${pid}/task`)
  const ran = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  return ran.reduce((sum, nanoseconds) => sum + Number(nanoseconds), 0) / 1e9
}

function load({ host, pid, port }, flags, scheme = 'https') {
  const before = cpuOf(pid)
  const text = run('h2load', [...flags, '-t1', `--connect-to=127.0.0.1:${port}`, `${scheme}://${host}:${port}/`])
  const rate = Number(/finished in .*?, ([\d.]+) req\/s/.exec(text)?.[1])
  const [, done, failed] = /(\d+) succeeded, (\d+) failed/.exec(text) ?? []
  if (Number(failed) > 0) throw new Error(text)
  return { cpu: ((cpuOf(pid) - before) / Number(done)) * 1e6, rate }
}

const loads = {
  'kept connections, HTTP/1.1': ['--h1', '-c16', `-n${requests}`],
  'kept connections, HTTP/2': ['-c4', '-m16', `-n${requests}`],
  'a new connection each, HTTP/1.1': ['--h1', `-n${newConnections}`, `-c${newConnections}`],
}
const stops = []
try {
  const silent = join(work, 'caddy')
  // Handed to the same program at once, but for the one question.
  writeFileSync(silent, `#!/bin/sh\n[ "$1" = list-modules ] && exit 0\nexec ${JSON.stringify(resolve(caddy))} "$@"\n`, {
    mode: 0o755,
  })
  const ways = { without: startMoat('without', silent) }
  stops.push(ways.without.stop)
  ways['with layer4'] = startMoat('with', caddy)
  stops.push(ways['with layer4'].stop)
  if (ways.without.layer4 !== false || ways['with layer4'].layer4 !== true)
    throw new Error('Both have layer4, or neither.')
  for (const [group, flags] of Object.entries(loads)) {
    const turn = Object.entries(ways).map(([name, way]) => [name, () => load(way, flags)])
    if (group === 'kept connections, HTTP/1.1')
      turn.push(['plain HTTP, with layer4', () => load(ways['with layer4'], flags, 'http')])
    const seen = Object.fromEntries(turn.map(([name]) => [name, []]))
    for (let round = 0; round < rounds; round += 1)
      for (const [name, measure] of round % 2 === 0 ? turn : turn.toReversed()) seen[name].push(measure())
    const each = (key) => Object.entries(seen).map(([name, all]) => [name, all.map((one) => one[key])])
    const times = (all) => median(all.map((value, round) => value / seen.without[round].cpu)).toFixed(2)
    say({
      against: 'without',
      group: `the front, ${group}`,
      notes: Object.fromEntries(
        each('cpu').map(([name, all]) => [name, `${median(all).toFixed(0)} µs of Caddy's CPU each, × ${times(all)}`]),
      ),
      samples: Object.fromEntries(each('rate')),
      unit: 'req/s',
    })
  }
} finally {
  for (const stop of stops.toReversed()) stop()
  rmSync(work, { force: true, recursive: true })
}
