// Owns what all commands have in common: where moat's files are, its version, and errors as JSON.
import { Command, type Config, Flags, type Interfaces } from '@oclif/core'
import { AgentReferenceError } from '../agents/find-agent.js'
import { type TellGone, tellGone } from '../agents/tell-gone.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { assertNoFile, ownFilesProblem } from '../config/home-problem.js'
import { type MoatPaths, moatPaths } from '../config/paths.js'
import { defaultAddress, resolveProxyAddress, type WantedAddress } from '../config/settings.js'
import { shellQuote } from '../config/shell-quote.js'
import {
  type EndpointPlugins,
  oclifAgentPrograms,
  oclifGrantProviders,
  oclifPlugins,
} from '../endpoints/plugin-hooks.js'
import type { Engine } from '../engine/engine.js'
import { parseRuntime } from '../engine/runtimes.js'
import { exitCodes, isExit, isOclifError, MoatError, messageOf, serializeError } from '../errors.js'
import type { Providers } from '../grants/providers.js'
import type { AgentProgram } from '../programs/contract.js'
import { withPlugins } from './own-commands.js'
import { type CommandLine, explainUsage } from './usage-error.js'

/** How long an engine with very much to do is waited for. Milliseconds. */
const busyEngine = 15_000

/** oclif takes an argument that is left out from stdin: `yes | moat init` is about no directory `y`. */
function withoutStdin(args: Interfaces.ArgInput = {}): Interfaces.ArgInput {
  return Object.fromEntries(Object.entries(args).map(([name, arg]) => [name, { ...arg, ignoreStdin: true }]))
}

export abstract class MoatCommand extends Command {
  static override baseFlags = {
    runtime: Flags.string({
      description: 'Container engine to use, and no other: docker, podman, orbstack, colima, …; default: MOAT_RUNTIME',
      helpGroup: 'GLOBAL',
    }),
    verbose: Flags.boolean({
      description: 'Show more: causes and stack traces of errors, and what run sets for frameworks',
      helpGroup: 'GLOBAL',
    }),
  }

  /** What arguments and flags complete to in a shell. In the manifest, like all static properties. */
  static completion: CommandCompletion = {}

  /** As oclif's, which would load all of the configuration it is given once more. */
  static override async run<T extends Command>(
    this: new (
      argv: string[],
      config: Config,
    ) => T,
    argv?: string[],
    options?: Interfaces.LoadOptions,
  ): Promise<ReturnType<T['run']>> {
    return (new this(argv ?? [], options as Config) as unknown as MoatCommand)._run()
  }

  protected readonly paths: MoatPaths = moatPaths()

  protected override async init(): Promise<void> {
    await super.init()
    // Said once, and not by the first file of moat's that somebody happens to want.
    assertNoFile(this.paths.home)
  }

  /** Where the proxy is to be found or started. `portFlag` is the value of --port. */
  protected async proxyOptions(
    portFlag?: number,
  ): Promise<{ paths: MoatPaths; version: string; wanted: WantedAddress }> {
    const wanted = await resolveProxyAddress({
      configFile: this.paths.configFile,
      env: process.env,
      ...(portFlag !== undefined && { flag: portFlag }),
    })
    return { paths: this.paths, version: this.config.version, wanted }
  }

  /** The same for what shows and stops: settings that are wrong are noted, and are no reason to leave things running. */
  protected async proxyOptionsAnyway(): Promise<{ paths: MoatPaths; version: string; wanted: WantedAddress }> {
    try {
      return await this.proxyOptions()
    } catch (error) {
      if (!(error instanceof MoatError) || !['CONFIG_INVALID', 'INVALID_PORT'].includes(error.code)) throw error
      process.stderr.write(`Note: ${error.message}\n`)
      return { paths: this.paths, version: this.config.version, wanted: defaultAddress }
    }
  }

  /**
   * The engine in use, showing this user's agents. A note says when the proxy follows another engine: agents there are
   * not gone. `note: false` is for a command that tells of it in its own way.
   */
  protected async connectEngine({ note = true } = {}): Promise<Engine> {
    // Loaded here: finding an engine is more than `moat help` should pay for.
    const { connectEngine } = await import('../engine/connect-engine.js')
    const waiting = (address: string) =>
      process.stderr.write(`Waiting for the container engine at ${address}, which gives no answer yet.\n`)
    const found = connectEngine({ moatHome: this.paths.home, patience: busyEngine, waiting })
    return note ? this.withEngineNote(found) : found
  }

  /** The engine, once it has been said if the proxy follows another. */
  protected async withEngineNote(found: Promise<Engine>): Promise<Engine> {
    found.catch(() => {})
    const { otherEngine } = await import('../supervisor/other-engine.js')
    const other = await otherEngine(this.paths.controlSocket, found)
    const engine = await found
    // Also with --json, which keeps only stdout to itself.
    if (other)
      process.stderr.write(`Note: the proxy follows the engine at ${other}; this is the one at ${engine.address}.\n`)
    return engine
  }

  /** --runtime is MOAT_RUNTIME for this command and for the processes it starts: the supervisor uses the same engine. */
  protected override async parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(options?: Interfaces.Input<F, B, A>, argv?: string[]): Promise<Interfaces.ParserOutput<F, B, A>> {
    const args = withoutStdin(options?.args) as Interfaces.ArgInput<A>
    // Some are inherited from this class or another, and would not be copied.
    const { baseFlags, enableJsonFlag, flags } = options ?? {}
    const parsed = await super
      .parse({ ...options, args, baseFlags, enableJsonFlag, flags } as typeof options, argv)
      .catch((error) => {
        throw explainUsage(error, this.#line(argv ?? this.argv))
      })
    const { runtime } = parsed.flags as { runtime?: string }
    if (runtime !== undefined) process.env.MOAT_RUNTIME = parseRuntime(runtime, '--runtime')
    return parsed
  }

  #line(argv: readonly string[]): CommandLine {
    const { args, flags, usage } = this.ctor
    const takesCommand = typeof usage === 'string' && usage.includes('-- COMMAND')
    const all = { ...this.ctor.baseFlags, ...flags, ...(this.ctor.enableJsonFlag && { json: {} }) }
    return { args, argv, flags: all, name: (this.id ?? '').replaceAll(':', ' '), takesCommand }
  }

  /** Of an agent that was mistyped, the same line with the right name. */
  protected override async catch(error: Error): Promise<unknown> {
    if (error instanceof AgentReferenceError) {
      const line = (name: string) => this.argv.map((word) => (word === error.reference ? name : word)).map(shellQuote)
      const command = ['moat', ...(this.id ?? '').split(':')]
      const lines = error.candidates.map((name) => [...command, ...line(name)].join(' '))
      if (this.argv.includes(error.reference)) error.suggestions?.unshift(...lines)
    }
    return super.catch(ownFilesProblem(error, this.paths.home) ?? error)
  }

  protected get plugins(): EndpointPlugins {
    return oclifPlugins(withPlugins(this.config))
  }

  /** The services that moat can give a credential to. */
  protected async grantProviders(): Promise<Providers> {
    const { collectProviders } = await import('../grants/providers.js')
    const plugins = () => oclifGrantProviders(withPlugins(this.config))
    return collectProviders({ directory: this.paths.providers, plugins })
  }

  /** The coding agent that this command is of. */
  protected async agentProgram(): Promise<AgentProgram> {
    const { findProgram } = await import('../programs/collect-programs.js')
    return findProgram(await oclifAgentPrograms(withPlugins(this.config)), this.id ?? '')
  }

  /** Tells plugins of agents that this command has seen to their end. */
  protected tellGone(): TellGone {
    return tellGone(this.plugins, (line) => this.logToStderr(line))
  }

  /** oclif's own cuts it into tokens, for colours that there are none of: a text of some megabytes is more than it can. */
  protected override logJson(json: unknown): void {
    process.stdout.write(`${JSON.stringify(json, undefined, 2)}\n`)
  }

  protected override toErrorJson(error: unknown): unknown {
    if (error instanceof MoatError) return { error: serializeError(error) }
    // oclif's own: a wrong flag, or an exit that was asked for.
    const exit = isOclifError(error) ? (error.oclif.exit ?? exitCodes.usage) : exitCodes.failure
    const code = isExit(error) ? 'INTERRUPTED' : exit === exitCodes.usage ? 'USAGE' : 'UNEXPECTED'
    return { error: { code, exit, message: messageOf(error), suggestions: [] } }
  }
}
