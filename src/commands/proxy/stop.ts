import { stopProxy } from '../../supervisor/proxy.js'
import { MoatCommand } from '../../terminal/moat-command.js'

export default class Stop extends MoatCommand {
  static override description = 'Stop the routing proxy; agents go on running, without URLs'
  static override enableJsonFlag = true

  async run(): Promise<{ stopped: boolean }> {
    await this.parse(Stop)
    const stopped = await stopProxy(await this.proxyOptionsAnyway())
    this.log(stopped ? 'Routing proxy stopped.' : 'The routing proxy is not running.')
    return { stopped }
  }
}
