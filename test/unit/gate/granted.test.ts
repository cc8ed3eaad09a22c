// Owns what becomes of agents' grants in the gate: what is open to a granted host ends with the grant, and its rules with it.
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { withoutRevoked } from '../../../src/egress/granted-rules.js'
import { gatedAgents } from '../../../src/gate/gated-agents.js'
import type { Agent } from '../../../src/routing/agent.js'
import { policy, runId, TestGate } from '../../helpers/gate.js'

let gate: TestGate
let server: Server
const hosts = new Set<Socket>()

beforeEach(async () => {
  // It says nothing, and keeps what it has.
  server = createServer((socket) => hosts.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  gate = new TestGate({ 'api.test:443': address, 'other.test:443': address, 'ssh.test:22': address })
})
afterEach(async () => {
  await gate.close()
  for (const socket of hosts) socket.destroy()
  hosts.clear()
  server.close()
})

const rules = policy(['api.test', 'other.test', { host: 'ssh.test', port: 22 }])
const granted = (mark: string) => [
  { effect: 'allow' as const, host: 'api.test', mark, port: 443 },
  { effect: 'allow' as const, host: 'ssh.test', mark: 'same', port: 22 },
]
const ends = (socket: Socket) => new Promise<true>((resolve) => socket.once('end', () => resolve(true)).resume())

it('what is open to a host ends when its grant is another, or none, and nothing else does', async () => {
  await gate.apply(rules, granted('one'))
  const open = await gate.tunnel('api.test:443')
  const [other, ssh] = [await gate.tunnel('other.test:443'), await gate.tunnel('ssh.test:22')]
  const ended = ends(open)
  // The same once more changes nothing.
  await gate.apply(rules, granted('one'))
  expect(open.readableEnded).toBe(false)
  await gate.apply(rules, granted('two'))
  expect(await ended).toBe(true)
  const again = await gate.tunnel('api.test:443')
  const endedAgain = [ends(again), ends(ssh)]
  await gate.apply(policy(['other.test']))
  expect(await Promise.all(endedAgain)).toEqual([true, true])
  expect(other.readableEnded).toBe(false)
  await expect(gate.tunnel('ssh.test:22')).rejects.toThrow('403')
})

it('a grant’s rules are there as long as it is, and its mark is told', async () => {
  const own = { effect: 'allow' as const, host: 'own.test', text: 'own.test' }
  const paths = [{ effect: 'allow' as const, method: '*', path: '/**' }]
  const of = (grant: string, host: string) => ({ effect: 'allow' as const, grant, host, paths, port: 443, text: host })
  const network = policy([own, of('here', 'api.test'), of('gone@work', 'other.test')])
  const agent = { name: 'a', network, runId, state: 'running' } as Agent
  mkdirSync(join(gate.paths.proxy, 'egress'), { recursive: true })
  const options = {
    grantMark: (grant: string) => (grant === 'here' ? '7' : undefined),
    log: () => {},
    paths: gate.paths,
  }
  const [gated] = await gatedAgents([agent], options)
  expect(gated?.policy.rules.map(({ host }) => host)).toEqual(['own.test', 'api.test'])
  expect(gated?.granted).toEqual([
    { effect: 'allow', host: 'api.test', mark: 'here 7', port: 443 },
    { effect: 'allow', host: 'other.test', mark: 'gone@work ', port: 443 },
  ])
  // Where nobody knows what was denied, everything is, and what is open to granted hosts still ends.
  writeFileSync(join(gate.paths.proxy, 'egress', `${runId}.json`), 'broken')
  expect((await gatedAgents([agent], options))[0]).toMatchObject({ granted: gated?.granted, policy: { rules: [] } })
})

it('asks once for each grant', () => {
  const rule = { effect: 'allow' as const, grant: 'one', host: 'a.test', text: 'a.test' }
  const asked: string[] = []
  withoutRevoked(policy([rule, { ...rule, host: 'b.test' }]), (grant) => asked.push(grant) > 0)
  expect(asked).toEqual(['one'])
})
