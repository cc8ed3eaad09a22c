// How long short commands take, beside `node -e 0`; and `moat run -d` and `moat stop` beside docker's own. Each round runs
// every one of them once, so that what else the machine does is shared; medians. Also memory: what `moat list` needs at most,
// and the supervisor with one agent. With the directory of another build of moat, the same of that in the same rounds.
// Usage: npm run build && node bench/commands.mjs [rounds] [directory]      Needs an engine, Caddy and the image node:22-slim.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { say } from './figures.mjs'

const rounds = Number(process.argv[2] ?? 15)
const builds = ['.', ...process.argv.slice(3)].map((directory) => resolve(directory))
const base = mkdtempSync(join(tmpdir(), 'moat-bench-'))
const hello = resolve('examples/hello')
const wrong = join(base, 'wrong')
mkdirSync(wrong)
writeFileSync(join(wrong, 'moat.yaml'), 'name: wrong\nport: {}\n')

const run = (file, args, env) => execFileSync(file, args, { encoding: 'utf8', env, stdio: 'pipe' })
const docker = (...args) => run('docker', args, process.env).trim()

function buildOf(directory) {
  const env = { ...process.env, MOAT_HOME: join(base, `home-${builds.indexOf(directory)}`), MOAT_PROXY_PORT: '0' }
  const words = (...args) => [join(directory, 'bin/run.js'), ...args]
  return { directory, env, moat: (...args) => run(process.execPath, words(...args), env), words }
}

const short = {
  'a TAB after moat stop': ['__complete', 'bash', ':', 'moat stop '],
  'moat help run': ['help', 'run'],
  'moat list': ['list'],
  'moat list --no-such-flag': ['list', '--no-such-flag'],
  'moat proxy status': ['proxy', 'status'],
  'moat run, wrong moat.yaml': ['run', wrong],
  'moat status': ['status'],
  'moat version': ['version'],
}
const samples = {}

function timed(name, action) {
  const start = performance.now()
  action()
  samples[name] ??= []
  samples[name].push(performance.now() - start)
}

const inDirectory = (name, { directory }) => (builds.length > 1 ? `${name}  [${builds.indexOf(directory)}]` : name)

/** Caddy gets its configuration at most once a second: what came before is not part of what is measured. */
const settled = () => new Promise((done) => setTimeout(done, 1_100))

async function roundOf(build) {
  const { env, moat, words } = build
  for (const [name, args] of Object.entries(short))
    timed(inDirectory(name, build), () => spawnSync(process.execPath, words(...args), { env }))
  await settled()
  timed(inDirectory('moat run -d', build), () => moat('run', '-d', '--name', 'second', hello))
  await settled()
  timed(inDirectory('moat stop', build), () => moat('stop', 'second'))
}

function roundOfDocker() {
  timed('node -e 0', () => spawnSync(process.execPath, ['-e', '0']))
  timed('docker ps', () => docker('ps'))
  // As moat has it made: on a network of its own kind, a start takes a third more.
  const kept = ['--network', 'moat', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--pids-limit', '4096']
  const place = [...kept, '-v', `${hello}:/workspace`, '-w', '/workspace', '-e', 'HOST=0.0.0.0']
  timed('docker run -d', () =>
    docker('run', '-d', '--init', '--name', 'moat-bench', ...place, 'node:22-slim', 'node', 'server.js'),
  )
  timed('docker stop', () => docker('stop', 'moat-bench'))
  docker('rm', 'moat-bench')
}

/** Megabytes that a command needs at most. */
function peakOf({ env, words }, args) {
  const report = 'process.on("exit",()=>process.stderr.write("rss "+process.resourceUsage().maxRSS))'
  const { stderr } = spawnSync(process.execPath, ['--import', `data:text/javascript,${report}`, ...words(...args)], {
    encoding: 'utf8',
    env,
  })
  return Number(/rss (\d+)/.exec(stderr)?.[1]) / 1024
}

const rssOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

const installed = builds.map(buildOf)
try {
  for (const { moat } of installed) moat('run', '-d', '--name', 'first', hello)
  for (let round = 0; round < rounds; round += 1) {
    roundOfDocker()
    for (const build of installed) await roundOf(build)
  }
  const names = Object.keys(samples).toSorted()
  const pick = (chosen) => Object.fromEntries(names.filter(chosen).map((name) => [name, samples[name]]))
  const isPair = (word) => (name) => name === `docker ${word}` || name.startsWith(`moat ${word}`)
  const isShort = (name) => ![isPair('run -d'), isPair('stop')].some((is) => is(name))
  say({ against: 'node -e 0', group: 'commands', samples: pick(isShort), unit: 'ms' })
  for (const word of ['run -d', 'stop'])
    say({ against: `docker ${word}`, group: `moat ${word}, to its return`, samples: pick(isPair(word)), unit: 'ms' })
  const memory = {}
  for (const build of installed) {
    const { caddy, supervisor } = JSON.parse(build.moat('proxy', 'status', '--json'))
    memory[inDirectory('moat list, at most', build)] = [peakOf(build, ['list'])]
    memory[inDirectory('supervisor, one agent', build)] = [rssOf(supervisor.pid)]
    memory[inDirectory('Caddy, one agent', build)] = [rssOf(caddy.pid)]
  }
  say({ group: 'memory', samples: memory, unit: 'MB' })
} finally {
  spawnSync('docker', ['rm', '-f', 'moat-bench'])
  for (const { env, words } of installed) {
    for (const args of [
      ['stop', 'first'],
      ['stop', 'second'],
      ['proxy', 'stop'],
    ])
      spawnSync(process.execPath, words(...args), { env })
  }
  rmSync(base, { force: true, recursive: true })
}
