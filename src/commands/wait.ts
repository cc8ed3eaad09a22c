import { Args, Flags } from '@oclif/core'
import { type AnsweredEndpoint, waitForEndpoint } from '../agents/wait-for-endpoint.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { currentProxy } from '../supervisor/proxy.js'
import { MoatCommand } from '../terminal/moat-command.js'

export default class Wait extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Name, run id, or the beginning of a run id', required: true }),
    endpoint: Args.string({ description: 'Default: the first one in moat.yaml' }),
  }
  static override completion: CommandCompletion = { agent: 'running-agents', endpoint: 'endpoints' }
  static override description = `Wait until an endpoint answers
Exit codes: 0 it answers, 10 no such agent or not running, 11 the agent ended meanwhile, 12 the time is up.`
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> wait dark-mode web --timeout 30']
  static override flags = {
    timeout: Flags.integer({ default: 60, description: 'Seconds', min: 1 }),
  }

  async run(): Promise<AnsweredEndpoint> {
    const { args, flags } = await this.parse(Wait)
    const engine = await this.connectEngine()
    const proxy = await this.proxyOptionsAnyway()
    const { address } = await currentProxy(proxy)
    const answered = await waitForEndpoint(engine, args.agent, {
      address,
      certificateFile: this.paths.caCertificate,
      proxyDirectory: this.paths.proxy,
      proxyRuns: async () => (await currentProxy(proxy)).runs,
      onWait: (url) => this.logToStderr(`Waiting for ${url}`),
      timeout: flags.timeout * 1000,
      ...(args.endpoint !== undefined && { endpoint: args.endpoint }),
    })
    this.log(`${answered.url} answers${answered.status === undefined ? '' : ` (${answered.status})`}.`)
    return answered
  }
}
