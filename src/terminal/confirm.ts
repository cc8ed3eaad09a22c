// Owns asking a person yes or no.
import { createInterface } from 'node:readline/promises'
import { Errors } from '@oclif/core'
import { interruptedExit } from './interrupts.js'

/** The answer; undefined without a terminal to ask on. No answer means no. */
export async function confirm(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    // Ctrl+C rejects it.
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw new Errors.ExitError(interruptedExit)
    throw error
  } finally {
    terminal.close()
  }
}
