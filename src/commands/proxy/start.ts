import { Flags } from '@oclif/core'
import { trustHint } from '../../authority/trust-hint.js'
import { ensureProxy } from '../../supervisor/ensure-proxy.js'
import { type ProxyStatus, toProxyStatus } from '../../supervisor/proxy.js'
import { stopProxy } from '../../supervisor/stop-proxy.js'
import { followProxy } from '../../terminal/follow-proxy.js'
import { formatProxyStatus } from '../../terminal/format-proxy-status.js'
import { Interrupts } from '../../terminal/interrupts.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { terminalProgress } from '../../terminal/progress.js'

export default class Start extends MoatCommand {
  static override description = `Start the routing proxy and keep it running until it is stopped
On a terminal this stays attached and shows the proxy's agents; Ctrl+C stops the proxy.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> proxy start',
    '<%= config.bin %> proxy start --port 9000 --detach',
    'sudo <%= config.bin %> proxy start --port 443',
  ]
  static override flags = {
    detach: Flags.boolean({ char: 'd', description: 'Return once the proxy is up', exclusive: ['foreground'] }),
    foreground: Flags.boolean({ description: 'Stay attached even without a terminal' }),
    port: Flags.integer({
      description: 'Port of all URLs; default: MOAT_PROXY_PORT, proxy.port in config.yaml, or 8080',
    }),
  }

  async run(): Promise<ProxyStatus> {
    const { flags } = await this.parse(Start)
    const options = await this.proxyOptions(flags.port)
    const engine = await this.connectEngine({ note: false })
    const progress = terminalProgress()
    const interrupts = new Interrupts()
    try {
      const { authorityCreated, hold, started } = await ensureProxy({
        ...options,
        announce: (start) => progress.step('Starting the routing proxy', start),
        engine: engine.address,
        keep: true,
      })
      if (interrupts.signal.aborted) {
        hold.release()
        if (started) await stopProxy(options)
        interrupts.signal.throwIfAborted()
      }
      if (authorityCreated) trustHint(this.paths.caCertificate, options.wanted.domain).forEach(progress.note)
      this.log(formatProxyStatus(toProxyStatus(hold.status)))
      const attached = flags.foreground || (!flags.detach && !this.jsonEnabled() && process.stdout.isTTY)
      if (attached) {
        await followProxy(hold, {
          interrupts,
          log: (line) => this.log(line),
          note: progress.note,
          stop: () => stopProxy(options),
        })
      }
      hold.release()
      return toProxyStatus(hold.status)
    } finally {
      interrupts.release()
    }
  }
}
