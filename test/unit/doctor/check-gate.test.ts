import { mkdirSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { agentDirectory } from '../../../src/config/paths.js'
import { checkGate } from '../../../src/doctor/check-gate.js'
import type { DoctorContext } from '../../../src/doctor/diagnosis.js'
import { policy, runId, TestGate } from '../../helpers/gate.js'

let gate: TestGate | undefined
afterEach(async () => {
  await gate?.close()
  gate = undefined
})

const context = (agents: object[], shares = true) =>
  ({
    connectEngine: async () => ({ listAgents: async () => ({ agents }), sharesSockets: async () => shares }),
    paths: gate?.paths,
  }) as unknown as DoctorContext

it('finds a gate that answers each agent with a policy, and one that does not', async () => {
  gate = new TestGate({})
  const strict = policy([])
  await gate.apply(strict)
  const other = 'run_ffffffffffff'
  mkdirSync(agentDirectory(gate.paths, other), { recursive: true })
  const own = { name: 'my-app', network: strict, runId, state: 'running' }
  const open = { name: 'open', runId: other, state: 'running' }
  const ended = { name: 'ended', network: strict, runId: other, state: 'exited' }
  expect(await checkGate(context([own, open, ended]))).toMatchObject([
    { check: 'network', message: '1 agent has a network policy, and the gate answers them.', status: 'ok' },
  ])
  const lost = { name: 'lost', network: strict, runId: other, state: 'running' }
  expect(await checkGate(context([own, lost]))).toMatchObject([
    { message: 'The gate does not answer lost: what the policy allows is not reached.', status: 'fail' },
  ])
})

it('says where a policy cannot be enforced, and nothing without an engine', async () => {
  expect(await checkGate(context([], false))).toMatchObject([{ status: 'warn' }])
  expect(await checkGate(context([]))).toMatchObject([{ status: 'ok' }])
  const away = { connectEngine: () => Promise.reject(new Error('away')) } as unknown as DoctorContext
  expect(await checkGate(away)).toEqual([])
})
