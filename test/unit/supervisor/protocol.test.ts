import { describe, expect, it } from 'vitest'
import { agentContract, isOfThisMoat } from '../../../src/supervisor/protocol.js'

describe('a supervisor', () => {
  it.each([
    ['of this moat is used', { contract: agentContract, version: '1.0.0' }, true],
    ['of another version hands over', { contract: agentContract, version: '1.0.1' }, false],
    ['that reaches agents in another way hands over', { contract: agentContract - 1, version: '1.0.0' }, false],
    ['from before that had a number hands over', { version: '1.0.0' }, false],
  ])('%s', (_, supervisor, expected) => {
    expect(isOfThisMoat({ supervisor: { pid: 1, ...supervisor } }, '1.0.0')).toBe(expected)
  })
})
