// Owns what all commands have in common: where moat's files are, its version, and errors as JSON.
import { Command, Errors, Flags } from '@oclif/core'
import { type TellGone, tellGone } from '../agents/tell-gone.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { type MoatPaths, moatPaths } from '../config/paths.js'
import { type ProxyPort, resolveProxyPort } from '../config/settings.js'
import { type EndpointPlugins, oclifPlugins } from '../endpoints/plugin-hooks.js'
import type { Engine } from '../engine/engine.js'
import { exitCodes, MoatError, messageOf, serializeError } from '../errors.js'

export abstract class MoatCommand extends Command {
  static override baseFlags = {
    verbose: Flags.boolean({ description: 'Show causes and stack traces of errors', helpGroup: 'GLOBAL' }),
  }

  /** What arguments and flags complete to in a shell. In the manifest, like all static properties. */
  static completion: CommandCompletion = {}

  protected readonly paths: MoatPaths = moatPaths()

  /** Where the proxy is to be found or started. `portFlag` is the value of --port. */
  protected async proxyOptions(portFlag?: number): Promise<{ paths: MoatPaths; port: ProxyPort; version: string }> {
    const port = await resolveProxyPort({
      configFile: this.paths.configFile,
      env: process.env,
      ...(portFlag !== undefined && { flag: portFlag }),
    })
    return { paths: this.paths, port, version: this.config.version }
  }

  /** The engine in use, showing this user's agents. */
  protected async connectEngine(): Promise<Engine> {
    // Loaded here: finding an engine is more than `moat help` should pay for.
    const { connectEngine } = await import('../engine/connect-engine.js')
    return connectEngine({ moatHome: this.paths.home })
  }

  protected get plugins(): EndpointPlugins {
    return oclifPlugins(this.config)
  }

  /** Tells plugins of agents that this command has seen to their end. */
  protected tellGone(): TellGone {
    return tellGone(this.plugins, (line) => this.logToStderr(line))
  }

  protected override toErrorJson(error: unknown): unknown {
    if (error instanceof MoatError) return { error: serializeError(error) }
    // oclif's own: a wrong flag, or an exit that was asked for.
    const exit = error instanceof Errors.CLIError ? (error.oclif.exit ?? exitCodes.usage) : exitCodes.failure
    const code = error instanceof Errors.ExitError ? 'INTERRUPTED' : exit === exitCodes.usage ? 'USAGE' : 'UNEXPECTED'
    return { error: { code, exit, message: messageOf(error), suggestions: [] } }
  }
}
