// Owns the properties of YAML positions, over generated documents.
import fc from 'fast-check'
import { dump, load, YAMLException } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { readYaml, YamlError, type YamlPath } from '../../../src/config/yaml-source.js'

const key = fc.string({ maxLength: 8, minLength: 1 }).filter((text) => text !== '__proto__')
const { value: tree } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

/** Every path in a value with the scalar or collection at its end. */
function* pathsIn(value: unknown, path: YamlPath = []): Generator<[YamlPath, unknown]> {
  yield [path, value]
  if (!(value instanceof Object)) return
  const entries: [number | string, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  for (const [part, inner] of entries) yield* pathsIn(inner, [...path, part])
}

/** What `load` makes of a text; undefined if it refuses it. */
function loaded(text: string): unknown {
  try {
    return load(text, { json: true })
  } catch (error) {
    if (error instanceof YAMLException) return undefined
    throw error
  }
}

describe('readYaml', () => {
  it('finds each value of any document where it stands', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom(-1, 0, 1), (value, flowLevel) => {
        const text = dump(value, { flowLevel, noRefs: true })
        const source = readYaml(text)
        expect(source?.value ?? null).toEqual(value)
        for (const [path, expected] of pathsIn(value)) {
          if (!source || path.length === 0) continue
          if (typeof expected === 'string') expect(source.textAt(path)).toBe(expected)
          if (typeof expected !== 'number') continue
          expect(text.slice(source.offsetOf(path))).toMatch(new RegExp(`^${expected}(?!\\d)`))
        }
      }),
    )
  })

  it('keeps the keys of a mapping in the order of the file and finds each', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,4}$/), { maxLength: 8, minLength: 1 })
    fc.assert(
      fc.property(names, (keys) => {
        const text = `x:\n${keys.map((name) => `  "${name}": 1\n`).join('')}`
        const source = readYaml(text)
        expect(source?.keysAt(['x'])).toEqual(keys)
        for (const name of keys) expect(text.slice(source?.offsetOf(['x', name], 'key'))).toMatch(`"${name}": 1`)
      }),
    )
  })

  it('agrees with js-yaml on any text, and fails in no other way than YamlError', () => {
    const token = fc.constantFrom(
      ...[
        'a',
        'b: ',
        '- ',
        '\n',
        '  ',
        '{',
        '}',
        '[',
        ']',
        ', ',
        '"',
        "'",
        '&x ',
        '*x',
        '!!str ',
        '!t ',
        '|\n',
        '#',
        '? ',
      ],
      ...[
        '<<: ',
        '---\n',
        '...\n',
        '1',
        '~',
        '\r\n',
        '\t',
        '%YAML 1.2\n',
        ': ',
        '>-\n',
        '\\x',
        '010',
        '\uFEFF',
        'null',
      ],
    )
    fc.assert(
      fc.property(fc.array(token, { maxLength: 16 }), (tokens) => {
        const text = tokens.join('')
        try {
          const source = readYaml(text)
          expect(source?.value ?? null).toEqual(loaded(text) ?? null)
        } catch (error) {
          if (!(error instanceof YamlError)) throw error
          expect(error.offset).toBeGreaterThanOrEqual(0)
          expect(error.offset).toBeLessThanOrEqual(text.length)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
