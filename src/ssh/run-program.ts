// Owns asking OpenSSH's programs, which know its files better than anybody.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { exitCodes, MoatError, systemCode } from '../errors.js'

/** Milliseconds. */
const patience = 15_000

/** What it prints. Throws SSH_MISSING without the program; rejects when it fails. */
export async function runProgram(program: string, args: string[], env = process.env): Promise<string> {
  try {
    const options = { encoding: 'utf8', env, timeout: patience } as const
    const { stdout } = await startAsInvokingUser((ids) => promisify(execFile)(program, args, { ...options, ...ids }))
    return stdout
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    throw new MoatError(
      'SSH_MISSING',
      `There is no program ${program} here, and moat asks it about your keys and hosts.`,
      {
        cause: error,
        exit: exitCodes.usage,
        suggestions: ['sudo apt-get install openssh-client'],
      },
    )
  }
}
