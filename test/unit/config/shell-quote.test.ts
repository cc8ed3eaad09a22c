// Owns the proof that a real shell reads a quoted word back as it was.
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { shellQuote } from '../../../src/config/shell-quote.js'

it('leaves plain words plain', () => {
  expect(shellQuote('./my-app/moat.yaml')).toBe('./my-app/moat.yaml')
  expect(shellQuote('my app')).toBe("'my app'")
  expect(shellQuote('')).toBe("''")
})

it('gives a shell every word as it was', () => {
  const word = fc.string({ unit: fc.constantFrom(...'ab \'"$`\\!*~;&|<>()\n#\u00E9-=/'), maxLength: 12 })
  const words = fc.sample(word, 200)
  const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(shellQuote).join(' ')}`], { encoding: 'utf8' })
  expect(printed.split('\0').slice(0, -1)).toEqual(words)
})
