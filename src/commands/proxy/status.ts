import { Flags } from '@oclif/core'
import { type ProxyStatus, proxyStatus } from '../../supervisor/proxy.js'
import { describeMissing, formatProxyStatus, formatProxyUrls } from '../../terminal/format-proxy-status.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { watchStatus } from '../../terminal/watch-status.js'

export default class Status extends MoatCommand {
  static override description = 'Show the routing proxy and the agents it serves'
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> proxy status',
    '<%= config.bin %> proxy status --watch',
    '<%= config.bin %> proxy status --watch --json',
  ]
  static override flags = {
    watch: Flags.boolean({
      char: 'w',
      description: 'Keep showing agents, health and rates; with --json, one object a line',
    }),
  }

  #watching = false

  async run(): Promise<ProxyStatus | undefined> {
    const { flags } = await this.parse(Status)
    const proxy = await this.proxyOptionsAnyway()
    this.#watching = flags.watch
    if (flags.watch) {
      await watchStatus({ json: this.jsonEnabled(), proxy })
      return undefined
    }
    const status = await proxyStatus(proxy)
    this.log(formatProxyStatus(status))
    // The layout is given, and programs read it: a person sees more.
    if (process.stdout.isTTY) for (const line of formatProxyUrls(status)) this.log(line)
    if (status.status === 'running') this.logToStderr(`All agents: ${status.indexUrl}`)
    const missing = describeMissing(status)
    if (missing !== undefined) this.logToStderr(missing)
    return status
  }

  /** What is watched has been printed already. */
  protected override logJson(json: unknown): void {
    if (!this.#watching || json !== undefined) super.logJson(json)
  }
}
