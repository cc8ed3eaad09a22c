import { Args, Flags } from '@oclif/core'
import { type ChosenPage, choosePage } from '../agents/choose-page.js'
import { currentAgents } from '../agents/list-agents.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { requestKey } from '../supervisor/control-client.js'
import { addressOf } from '../supervisor/protocol.js'
import { findProxy } from '../supervisor/proxy.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { noBrowserReason, openBrowser } from '../terminal/open-browser.js'

export default class Open extends MoatCommand {
  static override args = {
    agent: Args.string({ description: "Name or run id; default: this directory's agent, or the only one" }),
    endpoint: Args.string({ description: "Default: the agent's only one, or its page" }),
  }
  static override completion: CommandCompletion = { agent: 'running-agents', endpoint: 'endpoints' }
  static override description = `Show an agent in the browser, and print its URL
With several agents and none named, this shows all of them. --dashboard lets the browser stop agents, read their logs
and record their requests.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> open',
    '<%= config.bin %> open dark-mode api',
    '<%= config.bin %> open --dashboard',
    'curl "$(<%= config.bin %> open dark-mode web --print)"',
  ]
  static override flags = {
    dashboard: Flags.boolean({ description: 'Show it on the dashboard' }),
    print: Flags.boolean({ description: 'Only print the URL' }),
  }

  async run(): Promise<ChosenPage & { opened: boolean }> {
    const { args, flags } = await this.parse(Open)
    const options = await this.proxyOptionsAnyway()
    const proxy = await findProxy(options)
    const engine = await this.connectEngine()
    const agents = await currentAgents(engine, this.paths)
    const request = { ...args, dashboard: flags.dashboard, directory: process.cwd() }
    const page = await choosePage(agents, request, proxy ? addressOf(proxy) : options.wanted)
    this.log(page.url)
    if (!proxy)
      this.logToStderr('The routing proxy is not running, so nothing answers there. Start it with: moat proxy start')
    if (flags.print || this.jsonEnabled() || !proxy) return { ...page, opened: false }
    const machine = { isTTY: Boolean(process.stdout.isTTY), platform: process.platform }
    const reason = noBrowserReason(process.env, machine) ?? (await this.#show(page.url, flags.dashboard))
    if (reason !== undefined) this.logToStderr(`No browser was started: ${reason}.`)
    return { ...page, opened: reason === undefined }
  }

  /** The key stands where browsers send it nowhere, is good once, and only in a browser of this user. */
  async #show(url: string, dashboard: boolean): Promise<string | undefined> {
    const key = dashboard ? await requestKey(this.paths.controlSocket) : undefined
    return openBrowser(key === undefined ? url : `${url}${new URL(url).pathname === '/' ? '/' : ''}#key=${key}`)
  }
}
