import { describe, expect, it } from 'vitest'
import { reserveContainer } from '../../../src/agents/reserve-container.js'
import { type ContainerSpec, type Engine, NameReservedError } from '../../../src/engine/engine.js'
import type { Agent, AgentState } from '../../../src/routing/agent.js'

/** An engine on which a container holds the name, until it is removed. */
function engineHolding(state: AgentState, createdSecondsAgo = 0) {
  const removed: string[] = []
  const createdAt = new Date(Date.now() - createdSecondsAgo * 1000).toISOString()
  const engine = {
    create: async () => {
      if (removed.length === 0) throw new NameReservedError('taken')
      return 'new'
    },
    findByContainerName: async () => ({
      agent: { containerId: 'old', createdAt, runId: 'run_a1b2c3d4e5f6', state } as Agent,
    }),
    remove: async (id: string) => void removed.push(id),
  } as unknown as Engine
  return { engine, removed }
}

const reserve = (engine: Engine) => reserveContainer(engine, 'app', { name: 'moat-app-00000000' } as ContainerSpec)

describe('reserveContainer', () => {
  it('never removes a container that moat did not make, and says how it is done', async () => {
    const { engine, removed } = engineHolding('exited')
    engine.findByContainerName = async () => ({ fix: 'podman rm -f moat-app-00000000' })
    await expect(reserve(engine)).rejects.toMatchObject({
      code: 'NAME_IN_USE',
      message: 'The name app is held by the container moat-app-00000000, which this moat did not make.',
      suggestions: ['podman rm -f moat-app-00000000'],
    })
    expect(removed).toEqual([])
  })

  it.each(['running', 'paused', 'restarting', 'created'] as const)(
    'leaves a container that is %s alone',
    async (state) => {
      const { engine, removed } = engineHolding(state)
      await expect(reserve(engine)).rejects.toMatchObject({
        code: 'NAME_IN_USE',
        message: 'The name app is already in use by run run_a1b2c3d4e5f6.',
        suggestions: ['moat list', 'moat logs -f app', 'moat stop app'],
      })
      expect(removed).toEqual([])
    },
  )

  it.each([
    ['exited', 0],
    ['dead', 0],
    // A run that was killed between creating and starting.
    ['created', 31],
  ] as const)('replaces a container that is %s, made %i seconds ago', async (state, age) => {
    const { engine, removed } = engineHolding(state, age)
    expect(await reserve(engine)).toBe('new')
    expect(removed).toEqual(['old'])
  })
})
