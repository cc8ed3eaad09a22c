// Owns running a client of the person's in place of this command: its input, output and exit code are the client's.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { MoatError, systemCode } from '../errors.js'

/**
 * Resolves with the exit code, as a shell has it. Ctrl+C is for the client, which may go on.
 * @param instead what to do where the client is not to be had.
 */
export async function runClient(argv: readonly string[], env: NodeJS.ProcessEnv, instead: string): Promise<number> {
  const [program = '', ...args] = argv
  const ignore = () => {}
  process.on('SIGINT', ignore)
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: 'inherit' })
      child.once('error', reject)
      child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
    })
  } catch (error) {
    const reason = systemCode(error) === 'ENOENT' ? 'is not installed here' : `could not be run: ${String(error)}`
    throw new MoatError('USAGE', `${program} ${reason}.`, { cause: error, suggestions: [instead] })
  } finally {
    process.off('SIGINT', ignore)
  }
}
