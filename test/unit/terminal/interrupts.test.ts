// Owns what a terminal that closes does to a command: it gives up what it has begun, and is ended later as any program is.
import { afterEach, expect, it } from 'vitest'
import { Interrupts } from '../../../src/terminal/interrupts.js'

let interrupts: Interrupts | undefined
const others = process.listenerCount('SIGHUP')

afterEach(() => interrupts?.release())

it('aborts by SIGHUP as by Ctrl+C while the command starts, and not afterwards', () => {
  interrupts = new Interrupts()
  expect(process.listenerCount('SIGHUP')).toBe(others + 1)
  process.emit('SIGHUP', 'SIGHUP')
  expect(interrupts.signal.aborted).toBe(true)
  interrupts.onInterrupt(() => {})
  expect(process.listenerCount('SIGHUP')).toBe(others)
})
