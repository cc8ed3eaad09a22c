import { describe, expect, it } from 'vitest'
import { findAgent } from '../../../src/agents/find-agent.js'
import type { Agent } from '../../../src/routing/agent.js'

const agent = (name: string, runId: string) => ({ name, runId }) as Agent
const agents = [
  agent('dark-mode', 'run_a1b2c3d4e5f6'),
  agent('checkout', 'run_a1b2ffffffff'),
  agent('abc', 'run_000000000000'),
]

describe('findAgent', () => {
  it.each([
    ['dark-mode', 'dark-mode'],
    ['run_a1b2ffffffff', 'checkout'],
    ['run_a1b2c', 'dark-mode'],
    ['a1b2f', 'checkout'],
    ['abc', 'abc'],
  ])('%s is %s', (reference, name) => expect(findAgent(agents, reference).name).toBe(name))

  it('lists the runs that an ambiguous beginning stands for', () => {
    expect(() => findAgent(agents, 'run_a1b2')).toThrow(
      'run_a1b2 stands for several runs: run_a1b2c3d4e5f6 (dark-mode), run_a1b2ffffffff (checkout).',
    )
  })

  it.each(['run_', 'run_a1', 'a1'])('does not take %s for the beginning of an id', (reference) => {
    expect(() => findAgent(agents.slice(0, 1), reference)).toThrow(
      `There is no agent with the name or run id ${reference}.`,
    )
  })

  it('names the nearest agent when there is none', () => {
    expect(() => findAgent(agents, 'drak-mode')).toThrow(
      'There is no agent with the name or run id drak-mode. Did you mean dark-mode?',
    )
    expect(() => findAgent([], 'a1')).toThrow('There is no agent with the name or run id a1.')
  })

  it.each(['old', 'run_0123456789ab', 'moat-new-0a1b2c3d'])(
    'names the container that is none and looks like %s',
    (reference) => {
      const fix = 'docker rename moat-new-0a1b2c3d moat-old-0a1b2c3d'
      const renamed = {
        containerId: 'c',
        fix,
        name: 'moat-new-0a1b2c3d',
        reason: 'renamed' as const,
        runId: 'run_0123456789ab',
      }
      expect(() => findAgent(agents, reference, [renamed])).toThrow(
        expect.objectContaining({
          message: `There is no agent with the name or run id ${reference}. The container moat-new-0a1b2c3d belongs to an agent and was renamed.`,
          suggestions: [fix],
        }),
      )
      expect(() => findAgent(agents, 'other', [renamed])).toThrow('There is no agent with the name or run id other.')
    },
  )
})
