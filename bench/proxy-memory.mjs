// What the proxy keeps and does while nothing happens: memory of supervisor and Caddy with one agent, with many, and after as many
// have come and gone; and the CPU that both use in 10 idle seconds. Agents here are containers that only sleep.
// Usage: npm run build && node bench/proxy-memory.mjs [agents]      Linux; needs an engine, Caddy and the image node:22-slim.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { say } from './figures.mjs'

const many = Number(process.argv[2] ?? 200)
const base = mkdtempSync(join(tmpdir(), 'moat-bench-'))
const env = { ...process.env, MOAT_HOME: join(base, 'home'), MOAT_PROXY_PORT: '0' }
const moat = (...args) =>
  execFileSync(process.execPath, ['bin/run.js', ...args], {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
const workspace = join(base, 'sleeps')
mkdirSync(workspace)
writeFileSync(
  join(workspace, 'moat.yaml'),
  'base_image: node:22-slim\nports: {web: 3000}\ncommand: [sleep, "100000"]\n',
)

const start = (name) => moat('run', '-d', '--yes', '--name', name, workspace)
const rssOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
const cpuOf = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
const names = Array.from({ length: many }, (_, index) => `sleeps-${index}`)
const memory = {}
const idle = {}

async function look(when) {
  const { caddy, supervisor } = JSON.parse(moat('proxy', 'status', '--json'))
  const processes = Object.entries({ Caddy: caddy.pid, supervisor: supervisor.pid })
  const before = processes.map(([, pid]) => cpuOf(pid))
  await wait(10_000)
  for (const [index, [name, pid]] of processes.entries()) {
    memory[`${name}, ${when}`] = [rssOf(pid)]
    idle[`${name}, ${when}`] = [(cpuOf(pid) - before[index]) / 100]
  }
}

try {
  start('first')
  await look('one agent')
  for (const name of names) start(name)
  await look(`${many} more`)
  moat('stop', ...names)
  // Within a minute the supervisor lets go of what that has left.
  await wait(65_000)
  await look('one again')
  say({ group: 'memory of the proxy', samples: memory, unit: 'MB' })
  say({ group: 'CPU of the idle proxy', samples: idle, unit: '%' })
} finally {
  for (const { name } of JSON.parse(moat('list', '--json')).agents) moat('stop', name)
  moat('proxy', 'stop')
  rmSync(base, { force: true, recursive: true })
}
