import { Args, Flags } from '@oclif/core'
import { type AnsweredEndpoint, waitForEndpoint, waitTargets } from '../agents/wait-for-endpoint.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { currentProxy } from '../supervisor/proxy.js'
import { MoatCommand } from '../terminal/moat-command.js'

export default class Wait extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Name, run id, or the beginning of a run id', required: true }),
    endpoint: Args.string({ description: 'Default: the first one in moat.yaml' }),
  }
  static override completion: CommandCompletion = { agent: 'running-agents', endpoint: 'endpoints' }
  static override description = `Wait until an endpoint answers, or the first endpoint of each of several agents
Exit codes: 0 it answers, 10 no such agent or not running, 11 the agent ended meanwhile, 12 the time is up.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> wait dark-mode web --timeout 30',
    '<%= config.bin %> wait dark-mode checkout',
  ]
  static override flags = {
    timeout: Flags.integer({ default: 60, description: 'Seconds', min: 1 }),
  }

  static override strict = false
  static override usage = ['wait AGENT [ENDPOINT]', 'wait AGENT...']

  /** One endpoint as itself, as it always was. */
  async run(): Promise<AnsweredEndpoint | { answered: AnsweredEndpoint[] }> {
    const { argv, flags } = await this.parse(Wait)
    const engine = await this.connectEngine()
    const proxy = await this.proxyOptionsAnyway()
    const options = {
      address: (await currentProxy(proxy)).address,
      certificateFile: this.paths.caCertificate,
      proxyDirectory: this.paths.proxy,
      proxyRuns: async () => (await currentProxy(proxy)).runs,
      onWait: (url: string) => this.logToStderr(`Waiting for ${url}`),
      timeout: flags.timeout * 1000,
    }
    const targets = await waitTargets(engine, argv as string[])
    const answered = await Promise.all(
      targets.map(async ({ agent, endpoint }) => {
        const one = await waitForEndpoint(engine, agent, { ...options, ...(endpoint !== undefined && { endpoint }) })
        this.log(`${one.url} answers${one.status === undefined ? '' : ` (${one.status})`}.`)
        return one
      }),
    )
    const [only, ...others] = answered
    return only && others.length === 0 ? only : { answered }
  }
}
