// Owns asking a person yes or no.
import { createInterface } from 'node:readline/promises'
import { Errors } from '@oclif/core'
import { interruptedExit } from './interrupts.js'

/** The answer; undefined without a terminal to ask on. No answer means no, unless `usual` says otherwise. */
export async function confirm(question: string, usual: 'no' | 'yes' = 'no'): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    // Ctrl+C rejects it.
    const answer = (await terminal.question(`${question} ${usual === 'yes' ? '[Y/n]' : '[y/N]'} `)).trim()
    return answer === '' ? usual === 'yes' : /^y(es)?$/i.test(answer)
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw new Errors.ExitError(interruptedExit)
    throw error
  } finally {
    terminal.close()
  }
}
