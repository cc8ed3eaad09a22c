import { type ProxyStatus, proxyStatus } from '../../supervisor/proxy.js'
import { formatProxyStatus } from '../../terminal/format-proxy-status.js'
import { MoatCommand } from '../../terminal/moat-command.js'

export default class Status extends MoatCommand {
  static override description = 'Show the routing proxy and the agents it serves'
  static override enableJsonFlag = true

  async run(): Promise<ProxyStatus> {
    await this.parse(Status)
    const status = await proxyStatus(await this.proxyOptions())
    this.log(formatProxyStatus(status))
    return status
  }
}
