import { describe, expect, it } from 'vitest'
import {
  array,
  byKind,
  integer,
  MisshapenError,
  object,
  oneOf,
  recordOf,
  text,
  textThat,
  truth,
} from '../../../src/config/shapes.js'

const shape = object(
  { name: textThat((value) => value !== '', 'is empty'), ports: array(integer(1, 65_535), { min: 1 }) },
  { kind: byKind({ one: object({ kind: oneOf('one'), on: truth }) }), words: recordOf(text) },
)

describe('shapes', () => {
  it('read what they know, and leave out the rest', () => {
    const value = { extra: 1, kind: { kind: 'one', more: 2, on: true }, name: 'a', ports: [1], words: { b: 'c' } }
    expect(shape(value)).toEqual({ kind: { kind: 'one', on: true }, name: 'a', ports: [1], words: { b: 'c' } })
    expect(Object.keys(shape({ name: 'a', ports: [1] }))).toEqual(['name', 'ports'])
  })

  it.each([
    [[], [], 'Invalid input: expected object, received array'],
    [null, [], 'Invalid input: expected object, received null'],
    [{ ports: [1] }, ['name'], 'Invalid input: expected string, received undefined'],
    [{ name: '', ports: [1] }, ['name'], 'is empty'],
    [{ name: 'a', ports: [] }, ['ports'], 'Too small: expected array to have >=1 items'],
    [{ name: 'a', ports: [1, 1.5] }, ['ports', 1], 'Invalid input: expected int, received number'],
    [{ name: 'a', ports: [Number.NaN] }, ['ports', 0], 'Invalid input: expected number, received NaN'],
    [{ name: 'a', ports: [65_536] }, ['ports', 0], 'Too big: expected number to be <=65535'],
    [{ kind: { kind: 'two' }, name: 'a', ports: [1] }, ['kind', 'kind'], 'Invalid input: expected "one"'],
    [{ kind: { kind: 'toString' }, name: 'a', ports: [1] }, ['kind', 'kind'], 'Invalid input: expected "one"'],
    [{ name: 'a', ports: [1], words: { b: 1 } }, ['words', 'b'], 'Invalid input: expected string, received number'],
    // What may be left out may not be undefined, as labels' JSON never has it.
    [{ name: 'a', ports: [1], words: undefined }, ['words'], 'Invalid input: expected object, received undefined'],
  ])('say what is wrong, and where: %j', (value, path, message) => {
    const read = () => shape(value)
    expect(read).toThrow(MisshapenError)
    expect(read).toThrow(expect.objectContaining({ message, path }))
  })
})
