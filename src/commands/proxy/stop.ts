import { servedAgents, stopProxy } from '../../supervisor/stop-proxy.js'
import { MoatCommand } from '../../terminal/moat-command.js'

export default class Stop extends MoatCommand {
  static override description = 'Stop the routing proxy; agents go on running, without URLs'
  static override enableJsonFlag = true

  async run(): Promise<{ agents: string[]; stopped: boolean }> {
    await this.parse(Stop)
    const proxy = await this.proxyOptionsAnyway()
    const agents = await servedAgents(proxy)
    const stopped = await stopProxy(proxy)
    this.log(stopped ? 'Routing proxy stopped.' : 'The routing proxy is not running.')
    if (stopped && agents.length > 0)
      this.logToStderr(
        `Still running, but without URLs: ${agents.join(', ')}. They get them back with: moat proxy start`,
      )
    return { agents: stopped ? agents : [], stopped }
  }
}
