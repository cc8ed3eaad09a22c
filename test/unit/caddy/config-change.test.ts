import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { configChange } from '../../../src/caddy/config-change.js'

/** `current` with the value at `path` replaced. */
function replaced(current: unknown, path: string[], value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  const copy = structuredClone(current) as Record<string, unknown>
  copy[key] = replaced(copy[key], rest, value)
  return copy
}

describe('configChange', () => {
  it('is nothing for equal configs', () => {
    expect(configChange({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toBeUndefined()
  })

  it('is the smallest subtree that holds all differences', () => {
    const current = { a: { b: [{ c: 1, d: 2 }, 3] }, e: 4 }
    expect(configChange(current, { a: { b: [{ c: 9, d: 2 }, 3] }, e: 4 })).toEqual({
      path: ['a', 'b', '0', 'c'],
      value: 9,
    })
    expect(configChange(current, { a: { b: [{ c: 9, d: 9 }, 3] }, e: 4 })).toEqual({
      path: ['a', 'b', '0'],
      value: { c: 9, d: 9 },
    })
    expect(configChange(current, { a: { b: [3] }, e: 4 })).toEqual({ path: ['a', 'b'], value: [3] })
    expect(configChange(current, { a: 1 })).toEqual({ path: [], value: { a: 1 } })
  })

  it('turns any config into any other', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (current, next) => {
        const change = configChange(current, next)
        expect(change ? replaced(current, change.path, change.value) : current).toEqual(next)
      }),
    )
  })
})
