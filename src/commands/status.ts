import { measureSystem, type SystemStatus } from '../agents/measure.js'
import { currentPort } from '../supervisor/proxy.js'
import { formatSystemStatus } from '../terminal/format-system-status.js'
import { MoatCommand } from '../terminal/moat-command.js'

export default class Status extends MoatCommand {
  static override description = 'Show the engine, what running agents use, and built images'
  static override enableJsonFlag = true

  async run(): Promise<SystemStatus> {
    await this.parse(Status)
    const engine = await this.connectEngine()
    const status = await measureSystem(engine, await currentPort(await this.proxyOptions()))
    this.log(formatSystemStatus(status))
    return status
  }
}
