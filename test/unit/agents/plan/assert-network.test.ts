import { describe, expect, it } from 'vitest'
import { assertHostPorts, assertNetwork } from '../../../../src/agents/plan/assert-network.js'
import type { NetworkPolicy } from '../../../../src/egress/policy.js'
import { policy } from '../../../helpers/gate.js'

const plan = (network: NetworkPolicy, more: object = {}) => ({
  displayFile: 'my-app/moat.yaml',
  endpoints: [{ name: 'web', port: 3000, type: 'http' }],
  name: 'my-app',
  network,
  ports: [{ port: 3000 }],
  ...more,
})
const engine = (shares: (runtime?: string) => boolean) => ({
  sharesSockets: async (runtime?: string) => shares(runtime),
})
const open = policy([], { policy: 'permissive' })

describe('a network policy', () => {
  it('is enforced, or the agent does not start', async () => {
    await assertNetwork(
      engine(() => true),
      plan(policy(['a.example'])),
    )
    await assertNetwork(
      engine(() => false),
      plan(open),
    )
    await expect(
      assertNetwork(
        engine(() => false),
        plan(policy([])),
      ),
    ).rejects.toThrow(
      'my-app/moat.yaml: the strict network policy of my-app cannot be enforced here: the container engine runs in a virtual machine',
    )
    await expect(
      assertNetwork(
        engine(() => false),
        plan(policy(['a.example'], { policy: 'permissive' })),
      ),
    ).rejects.toThrow('the network policy of my-app cannot be enforced here')
    await expect(
      assertNetwork(
        engine((runtime) => runtime !== 'runsc'),
        plan(policy([]), { container: { runtime: 'runsc' } }),
      ),
    ).rejects.toThrow('the runtime runsc gives each container a kernel of its own')
  })

  it('has no room for an endpoint that is published, nor for a port that is two things', async () => {
    const shared = engine(() => true)
    const published = {
      endpoints: [{ name: 'db', port: 5432, type: 'tcp' }],
      ports: [{ hostPort: 20_001, port: 5432 }],
    }
    await expect(assertNetwork(shared, plan(policy([]), published))).rejects.toThrow(
      'the endpoint db has a port of its own on this machine',
    )
    await assertNetwork(shared, plan(policy(['a.example'], { policy: 'permissive' }), published))
    await expect(assertNetwork(shared, plan(policy([], { host: [3000] })))).rejects.toThrow(
      'port 3000 of this machine, which network.host lists, is the endpoint web in the container',
    )
    expect(() => assertHostPorts(plan(policy([], { host: [8080] })), 8080)).toThrow('network.host lists port 8080')
    expect(() => assertHostPorts(plan(policy([], { host: [5432] })), 8080)).not.toThrow()
  })
})
