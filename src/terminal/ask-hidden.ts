// Owns having a person type what nobody may see.
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Errors } from '@oclif/core'
import { interruptedExit } from './interrupts.js'

/** What was typed; undefined without a terminal to ask on. Nothing of it is echoed. */
export async function askHidden(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  // readline writes what is typed to its output: to nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ historySize: 0, input: process.stdin, output: nowhere, terminal: true })
  try {
    process.stderr.write(question)
    return (await terminal.question('')).trim()
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw new Errors.ExitError(interruptedExit)
    throw error
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}
