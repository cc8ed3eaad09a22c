// What Caddy says at its end, in the words of several of its versions.
import { describe, expect, it } from 'vitest'
import { lastWords } from '../../../src/caddy/last-words.js'

const line = (fields: object) => JSON.stringify(fields)
const info = line({ level: 'info', msg: 'using config from stdin' })

describe('the last words of Caddy', () => {
  it.each([
    ['a line of text', `${info}\nError: unknown module: x\n`, 'unknown module: x'],
    ['a line of its log', `${info}\n${line({ level: 'error', msg: 'unknown module: x' })}\n`, 'unknown module: x'],
    ['a panic', `${info}\npanic: boom\n\ngoroutine 1 [running]:\nmain.main()\n`, 'boom'],
    ['the last of several', `Error: first\n${line({ level: 'error', msg: 'second' })}`, 'second'],
    ['none, where only a part of it complained', line({ level: 'error', logger: 'tls', msg: 'no' }), undefined],
    ['none, where it is no log', '{ nonsense\n{"level":"error"}\n{"level":"error","msg":3}', undefined],
    ['none', '', undefined],
  ])('are %s', (_, output, words) => {
    expect(lastWords(output)).toBe(words)
  })
})
