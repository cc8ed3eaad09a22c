// Owns running a program in front of the person, its output on stderr.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { MoatError, messageOf } from '../errors.js'

/** Resolves with the exit code. `privileged`: with root's rights, which sudo asks a password for. */
export async function runProgram(argv: readonly string[], { privileged }: { privileged: boolean }): Promise<number> {
  const needsSudo = privileged && process.geteuid?.() !== 0
  const [program = '', ...args] = needsSudo ? ['sudo', ...argv] : argv
  const child = spawn(program, args, { stdio: ['inherit', 2, 2] })
  const failed = once(child, 'error').then(([error]) => {
    throw new MoatError('USAGE', `${program} could not be run: ${messageOf(error)}.`, { cause: error })
  })
  const [code] = await Promise.race([failed, once(child, 'close')])
  return typeof code === 'number' ? code : 1
}
