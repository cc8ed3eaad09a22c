// Owns one run of the command line, from arguments to exit code, and what happens to an error no command handled.
import { type Interfaces, run } from '@oclif/core'
import { pluginDirectory, setUpOclif } from '../config/oclif-settings.js'
import { moatPaths } from '../config/paths.js'
import { exitCodes, isExit, isOclifError, systemCode } from '../errors.js'
import { explainLoadWarnings } from '../plugins/load-warnings.js'
import { isPluginsCommand, runPluginsCommand } from '../plugins/run-plugins-command.js'
import type { EarlyLook } from '../supervisor/ask-early.js'
import { keepEarlyLook } from '../supervisor/early-look.js'
import { runCommand } from './own-commands.js'
import { renderError } from './render-error.js'
import { type CommandLine, explainUsage } from './usage-error.js'

/**
 * Runs a command; resolves with the exit code of the process. `root` is the URL of the program's file, `early` what the supervisor has been
 * asked already.
 */
export async function runCli(argv: string[], root: string, early?: EarlyLook): Promise<number> {
  keepEarlyLook(early)
  setUpOclif()
  explainLoadWarnings(pluginDirectory(), (line) => process.stderr.write(`${line}\n`))
  const gone = readerGone()
  try {
    await runCommand(argv, root, (options) => (isPluginsCommand(argv) ? runPlugins(argv, options) : run(argv, options)))
    await Promise.race([written(), gone])
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(error, argv, gone)
  }
}

/** Which plugins there are decides what the proxy serves; one that does not answer now looks again by itself. */
async function runPlugins(argv: string[], options: Interfaces.LoadOptions): Promise<void> {
  await runPluginsCommand(argv, () => run(argv, options))
  const { syncRoutes } = await import('../supervisor/control-client.js')
  await syncRoutes(moatPaths().controlSocket).catch(() => {})
}

/** Resolves when who reads the output has gone away (`moat list | head -1`), which is no error. */
function readerGone(): Promise<void> {
  return new Promise((resolve) => {
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('error', (error) => {
        if (systemCode(error) !== 'EPIPE') throw error
        resolve()
      })
    }
  })
}

/** Resolves when all has left this process, whose end drops the rest: a socket or a slow reader may take its time. */
async function written(): Promise<void> {
  const streams = [process.stdout, process.stderr]
  await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))))
}

async function report(error: unknown, argv: string[], gone: Promise<void>): Promise<number> {
  if (isExit(error)) return error.oclif.exit ?? 0
  const separator = argv.indexOf('--')
  const ours = separator === -1 ? argv : argv.slice(0, separator)
  const verbose = ours.includes('--verbose') || Boolean(process.env.DEBUG)
  const explained = explainUsage(error, lineOf(error, ours))
  process.stderr.write(`${renderError(explained, { verbose })}\n`)
  await Promise.race([written(), gone])
  return isOclifError(explained) ? (explained.oclif.exit ?? exitCodes.usage) : exitCodes.failure
}

/** Of a command that is no MoatCommand: `moat plugins …`, or one of a plugin's. */
function lineOf(error: unknown, argv: readonly string[]): CommandLine {
  const { input } = (error as { parse?: { input?: Partial<CommandLine> & { argv?: string[] } } }).parse ?? {}
  const words = argv.flatMap((word) => (word.startsWith('-') ? [] : [word]))
  const typed = input?.argv ?? []
  const name = words.slice(0, Math.max(1, argv.length - typed.length)).join(' ')
  return { args: input?.args ?? {}, argv: typed, flags: input?.flags ?? {}, name }
}
