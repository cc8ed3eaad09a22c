// Two programs killed at the same moment, in every pair: other agents are reached, and what is listed is what runs.
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { long, patience } from '../../helpers/fuzz.js'
import { type RunningMoat, Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const sandbox = new Sandbox()
let attached: RunningMoat | undefined
let bystander: string

const deadline = 30_000

beforeAll(async () => {
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('bystander')])
  bystander = endpoints[0]?.url ?? ''
})
afterAll(() => sandbox.cleanUp())

/** A process and what it has started, with their command lines. */
function tree(pid: number): { command: string; pid: number }[] {
  const processes = readdirSync('/proc').flatMap((name) => {
    try {
      const parent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1])
      return [
        { command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' '), parent, pid: Number(name) },
      ]
    } catch {
      return []
    }
  })
  const below = (one: number): typeof processes =>
    processes.filter(({ parent }) => parent === one).flatMap((child) => [child, ...below(child.pid)])
  return [...processes.filter((one) => one.pid === pid), ...below(pid)]
}

async function inContainer(pattern: RegExp): Promise<number[]> {
  const [found] = (await sandbox.containers()).filter(({ Labels }) => Labels['dev.moat.name'] === 'victim')
  const { State } = await sandbox.docker.getContainer(found?.Id ?? '').inspect()
  return tree(State.Pid)
    .filter(({ command }) => pattern.test(command))
    .map(({ pid }) => pid)
}

const victims = {
  agent: () => inContainer(/^node server\.js/),
  caddy: async () => (await sandbox.processes()).caddys,
  doorkeeper: async () => (await sandbox.processes()).doorkeepers,
  relay: () => inContainer(/--in \S+ /),
  run: async () => [attached?.process.pid ?? Number.NaN],
  supervisor: async () => (await sandbox.processes()).supervisors,
}
type Victim = keyof typeof victims
const names = Object.keys(victims) as Victim[]
const pairs = names.flatMap((first, index) => names.slice(index + 1).map((second): [Victim, Victim] => [first, second]))
const short: [Victim, Victim][] = [
  ['caddy', 'doorkeeper'],
  ['relay', 'supervisor'],
  ['caddy', 'run'],
]

it.each(long ? pairs : short)('%s and %s', patience, async (...both) => {
  attached = sandbox.start(['run', sandbox.workspace('victim')])
  await attached.prints('listening')
  const pids = await until('both of them', async () => {
    const found = await Promise.all(both.map((name) => victims[name]()))
    return found.every((one) => one.length > 0) && found.flat()
  })
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      // It went with the one before it: a relay's second process ends with its first.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  // Where a supervisor lives nobody has to ask for it; else the next command does.
  if (both.includes('supervisor')) await sandbox.json(['list'])
  await until('the other agent', async () => (await sandbox.get(bystander)).body === 'bystander 3000', deadline)
  if (both.includes('agent') || both.includes('relay')) await attached.exited
  await until(
    'one truth',
    async () => {
      const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
      const listed = agents.filter(({ state }) => state === 'running').map(({ runId }) => runId)
      const running = (await sandbox.containers()).filter(({ State }) => State === 'running')
      expect(listed.toSorted()).toEqual(running.map(({ Labels }) => Labels['dev.moat.run-id']).toSorted())
      const victim = agents.find(({ name, state }) => name === 'victim' && state === 'running')
      const { body } = await sandbox.get(victim?.endpoints[0]?.url ?? bystander)
      return body === (victim ? 'victim 3000' : 'bystander 3000')
    },
    deadline,
  )
  await until(
    'one of each',
    async () => {
      const { caddys, doorkeepers, supervisors } = await sandbox.processes()
      expect([caddys.length, doorkeepers.length, supervisors.length]).toEqual([1, 1, 1])
      return true
    },
    deadline,
  )
  await sandbox.moat(['stop', 'victim'])
  await attached.exited
  // What has ended leaves nothing.
  await until('the end of its container', async () => (await sandbox.containers()).length === 1, deadline)
})
