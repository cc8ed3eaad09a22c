import { lookAround } from '../agents/look-around.js'
import { describeSystem, type SystemStatus } from '../agents/measure.js'
import { withProblems } from '../pages/view.js'
import { indexUrl } from '../routing/urls.js'
import { describeIndex, describeProblems, describeServices } from '../terminal/format-agents.js'
import { formatSystemStatus } from '../terminal/format-system-status.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { terminalColumns } from '../terminal/table.js'

export default class Status extends MoatCommand {
  static override description = 'Show the engine, what running agents use, and built images'
  static override enableJsonFlag = true

  async run(): Promise<SystemStatus & { indexUrl: string; proxy: 'running' | 'stopped' }> {
    await this.parse(Status)
    const connect = () => this.connectEngine()
    const around = await lookAround({ connect, proxy: await this.proxyOptionsAnyway(), system: true })
    const { problems, proxy } = around
    const { address } = proxy
    const measured = await describeSystem(around, this.paths, address)
    const status = { ...measured, runs: measured.runs.map((run) => withProblems(run, problems)) }
    this.log(formatSystemStatus(status, Date.now(), terminalColumns()))
    for (const line of describeServices(status.runs)) this.logToStderr(line)
    if (status.runs.length > 0) this.logToStderr(describeIndex(proxy, status.runs))
    for (const line of describeProblems(problems)) this.logToStderr(line)
    return { ...status, indexUrl: indexUrl(address), proxy: proxy.runs ? 'running' : 'stopped' }
  }
}
