import { Flags } from '@oclif/core'
import { viewAgents } from '../agents/list-agents.js'
import { lookAround } from '../agents/look-around.js'
import { withProblems } from '../pages/view.js'
import type { AgentView } from '../routing/agent-view.js'
import { indexUrl } from '../routing/urls.js'
import { describeAlarms } from '../terminal/describe-alarm.js'
import { describeIndex, describeProblems, describeServices, formatAgents } from '../terminal/format-agents.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { terminalColumns } from '../terminal/table.js'

export default class List extends MoatCommand {
  static override aliases = ['ls', 'ps']
  static override description = 'List agents'
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> list', '<%= config.bin %> list --json']

  static override flags = {
    all: Flags.boolean({
      char: 'a',
      description: 'Has no effect: agents that have ended are always listed',
      hidden: true,
    }),
  }

  async run(): Promise<{ agents: AgentView[]; indexUrl: string; proxy: 'running' | 'stopped' }> {
    await this.parse(List)
    const connect = () => this.connectEngine()
    const { list, problems, proxy } = await lookAround({ connect, proxy: await this.proxyOptionsAnyway() })
    const { address } = proxy
    const engine = this.jsonEnabled() ? await connect() : undefined
    const listed = await viewAgents(list.agents, { address, engine, home: this.paths.home })
    const agents = listed.map((agent) => withProblems(agent, problems))
    if (agents.length > 0) {
      this.log(formatAgents(agents, Date.now(), terminalColumns()))
      for (const line of describeServices(agents)) this.logToStderr(line)
      this.logToStderr(describeIndex(proxy, agents))
      for (const line of describeProblems(problems)) this.logToStderr(line)
      for (const line of describeAlarms(agents, this.paths.home)) this.logToStderr(line)
    } else this.logToStderr('No agents. Start one with: moat run <directory>')
    return { agents, indexUrl: indexUrl(address), proxy: proxy.runs ? 'running' : 'stopped' }
  }
}
