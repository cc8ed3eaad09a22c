// What it costs that one port serves HTTPS, plain HTTP and databases: requests a second and Caddy's CPU for each over connections
// that are kept, and for each new one, with the layer4 module and without it. It is one and the same Caddy, which is kept from telling that it has
// the module. Rounds of the same load in turn, so that what else the machine does falls on both.
// Usage: npm run build && MOAT_CADDY=/path/to/one/with/layer4 node bench/front.mjs [rounds] [seconds]
// Linux; needs an engine, h2load (nghttp2-client) and the image node:22-slim.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { median, say } from './figures.mjs'

const [rounds = 5, seconds = 2] = process.argv.slice(2, 4).map(Number)
const caddy = process.env.MOAT_CADDY ?? 'caddy'
const work = mkdtempSync(join(tmpdir(), 'mb-'))
const newConnections = 300

const run = (program, args, options = {}) => execFileSync(program, args, { encoding: 'utf8', ...options })

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

/** User and system time of a process, in seconds. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function load({ host, pid, port }, flags, scheme = 'https') {
  const before = cpuOf(pid)
  const text = run('h2load', [...flags, '-t1', `--connect-to=127.0.0.1:${port}`, `${scheme}://${host}:${port}/`])
  const rate = Number(/finished in .*?, ([\d.]+) req\/s/.exec(text)?.[1])
  const [, done, failed] = /(\d+) succeeded, (\d+) failed/.exec(text) ?? []
  if (Number(failed) > 0) throw new Error(text)
  return { cpu: ((cpuOf(pid) - before) / Number(done)) * 1e6, rate }
}

const timed = [`-D${seconds}`, '--warm-up-time=1s']
const loads = {
  'kept connections, HTTP/1.1': ['--h1', '-c16', ...timed],
  'kept connections, HTTP/2': ['-c4', '-m16', ...timed],
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
  if (ways.without.layer4 !== false || ways['with layer4'].layer4 !== true) throw new Error('MOAT_CADDY has no layer4.')
  for (const [group, flags] of Object.entries(loads)) {
    const seen = { without: [], 'with layer4': [] }
    for (let round = 0; round < rounds; round += 1)
      for (const [name, way] of Object.entries(ways)) seen[name].push(load(way, flags))
    if (!group.startsWith('a new') && group.endsWith('1.1')) {
      const plain = []
      for (let round = 0; round < rounds; round += 1) plain.push(load(ways['with layer4'], flags, 'http'))
      seen['plain HTTP, with layer4'] = plain
    }
    const each = (key) => Object.entries(seen).map(([name, all]) => [name, all.map((one) => one[key])])
    say({
      against: 'without',
      group: `the front, ${group}`,
      notes: Object.fromEntries(
        each('cpu').map(([name, all]) => [name, `${median(all).toFixed(0)} µs of Caddy's CPU each`]),
      ),
      samples: Object.fromEntries(each('rate')),
      unit: 'req/s',
    })
  }
} finally {
  for (const stop of stops.toReversed()) stop()
  rmSync(work, { force: true, recursive: true })
}
