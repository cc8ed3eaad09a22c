// Owns one run of the command line, from arguments to exit code, and what happens to an error no command handled.
import { Errors, flush, handle, run } from '@oclif/core'
import { actAsInvokingUser } from '../config/invoking-user.js'
import { pluginDirectory, setUpOclif } from '../config/oclif-settings.js'
import { exitCodes, MoatError, systemCode } from '../errors.js'
import { explainLoadWarnings } from '../plugins/load-warnings.js'
import { isPluginsCommand, runPluginsCommand } from '../plugins/run-plugins-command.js'
import { renderError } from './render-error.js'

/** Runs a command; resolves with the exit code of the process. `root` is the URL of the program's file. */
export async function runCli(argv: string[], root: string): Promise<number> {
  actAsInvokingUser()
  setUpOclif()
  explainLoadWarnings(pluginDirectory(), (line) => process.stderr.write(`${line}\n`))
  // A reader that went away (`moat list | head -1`) is no error.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (systemCode(error) !== 'EPIPE') throw error
    })
  }
  try {
    await (isPluginsCommand(argv) ? runPluginsCommand(argv, () => run(argv, root)) : run(argv, root))
    await flush()
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(error, argv)
  }
}

async function report(error: unknown, argv: string[]): Promise<number> {
  if (error instanceof Errors.ExitError) return error.oclif.exit ?? 0
  const separator = argv.indexOf('--')
  const ours = separator === -1 ? argv : argv.slice(0, separator)
  const verbose = ours.includes('--verbose') || Boolean(process.env.DEBUG)
  // oclif's own errors (an unknown flag, a missing argument) print themselves, with the command's usage.
  if (error instanceof Errors.CLIError && !(error instanceof MoatError) && !verbose) {
    await handle(error)
    return error.oclif.exit ?? exitCodes.usage
  }
  process.stderr.write(`${renderError(error, { verbose })}\n`)
  await flush()
  return error instanceof MoatError ? (error.oclif.exit ?? exitCodes.failure) : exitCodes.failure
}
