import { Args, Flags } from '@oclif/core'
import { runningAgent } from '../agents/find-agent.js'
import { type Connection, clientFor, commandFor, connectionTo } from '../clients/connection.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { addressOf } from '../supervisor/protocol.js'
import { findProxy } from '../supervisor/proxy.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { runClient } from '../terminal/run-client.js'
import { splitCommand } from '../terminal/split-command.js'

export default class Connect extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Name, run id, or the beginning of a run id', required: true }),
    endpoint: Args.string({ description: "Default: the agent's only endpoint of the type tcp" }),
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
    const { argv, command } = splitCommand(this.argv)
    const { args, flags } = await this.parse(Connect, argv)
    const proxy = await findProxy(await this.proxyOptionsAnyway())
    const engine = await this.connectEngine()
    const agent = runningAgent((await engine.listAgents()).agents, args.agent)
    const byName = proxy?.caddy.layer4 && !flags.plain ? addressOf(proxy) : undefined
    const connection = connectionTo(agent, { byName, ca: this.paths.caCertificate, endpoint: args.endpoint })
    if (!command) {
      this.log(connection.command)
      return connection
    }
    process.exitCode = await runClient(commandFor(connection, clientFor(agent, connection), command), connection.env)
    return undefined
  }
}
