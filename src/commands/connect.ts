import { Args, Flags } from '@oclif/core'
import { runningAgent } from '../agents/find-agent.js'
import { type Connection, clientFor, commandFor, connectionTo, whyByAddress } from '../clients/connection.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError } from '../errors.js'
import { addressOf } from '../supervisor/protocol.js'
import { findProxy } from '../supervisor/proxy.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { runClient } from '../terminal/run-client.js'
import { splitCommand, unseparated } from '../terminal/split-command.js'

export default class Connect extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Name, run id, or the beginning of a run id', required: true }),
    endpoint: Args.string({ description: "Default: the agent's only endpoint of the type tcp, or the client's" }),
  }
  static override completion: CommandCompletion = { agent: 'running-agents', endpoint: 'endpoints' }
  static override description =
    `Print how a client connects to an endpoint of the type tcp, such as a database, or run one
After -- comes the client: it has the variables that it takes, and known ones, such as redis-cli, the arguments too. It connects
over TLS by the endpoint's name where the proxy can tell names, else to the endpoint's address.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> connect dark-mode db',
    '<%= config.bin %> connect dark-mode db -- psql -U postgres',
    '<%= config.bin %> connect dark-mode cache --plain -- redis-cli PING',
  ]
  static override flags = {
    plain: Flags.boolean({ description: "To the endpoint's own address, without TLS" }),
  }
  static override usage = ['connect AGENT [ENDPOINT]', 'connect AGENT [ENDPOINT] -- CLIENT...']

  async run(): Promise<Connection | undefined> {
    assertSeparated(this.argv)
    const { argv, command } = splitCommand(this.argv)
    const { args, flags } = await this.parse(Connect, argv)
    if (command && this.jsonEnabled())
      throw usage('A client prints what it prints: --json is for when there is none.', `moat connect ${argv.join(' ')}`)
    const proxy = await findProxy(await this.proxyOptionsAnyway())
    const engine = await this.connectEngine()
    const agent = runningAgent((await engine.listAgents()).agents, args.agent)
    const byName = proxy?.caddy.layer4 && !flags.plain ? addressOf(proxy) : undefined
    const { caCertificate: ca } = this.paths
    const connection = connectionTo(agent, { byName, ca, client: command, endpoint: args.endpoint })
    const why = flags.plain ? undefined : whyByAddress(agent, connection, proxy?.caddy)
    if (why !== undefined && !this.jsonEnabled()) process.stderr.write(`${why}\n`)
    if (!command) {
      this.log(connection.command)
      return connection
    }
    const instead = `moat connect ${agent.name} ${connection.endpoint}   # what a client is told`
    const told = commandFor(connection, clientFor(agent, connection), command)
    process.exitCode = await runClient(told, connection.env, instead)
    return undefined
  }
}

/** Whoever forgets it would be told that there are too many arguments, or that moat has no such flag. */
function assertSeparated(argv: readonly string[]): void {
  const client = unseparated(argv, 2)
  if (!client) return
  const before = argv.slice(0, argv.length - client.length)
  const typed = ['moat connect', ...before, '--', ...client.map(shellQuote)].join(' ')
  throw usage('The client to run comes after --.', typed)
}

function usage(message: string, suggestion: string): MoatError {
  return new MoatError('USAGE', message, { exit: exitCodes.usage, suggestions: [suggestion] })
}
