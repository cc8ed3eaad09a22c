import { resolve } from 'node:path'
import { listHosts } from '../../../agents/list-agents.js'
import { currentProxy } from '../../../supervisor/proxy.js'
import { hostsFlags } from '../../../terminal/hosts-flags.js'
import { changeHosts, type HostsOutcome } from '../../../terminal/hosts-session.js'
import { MoatCommand } from '../../../terminal/moat-command.js'

export default class Sync extends MoatCommand {
  static override description = `Write the hosts of running agents into the hosts file
For programs whose resolver does not know *.localhost: Safari, Java, musl; and for a proxy.domain that no DNS server knows. Run it again when agents have come or gone.`
  static override enableJsonFlag = true
  static override flags = hostsFlags

  async run(): Promise<HostsOutcome> {
    const { flags } = await this.parse(Sync)
    const engine = await this.connectEngine()
    return changeHosts({
      ...flags,
      file: resolve(flags.file),
      hosts: await listHosts(engine, this.paths, (await currentProxy(await this.proxyOptions())).address.domain),
      json: this.jsonEnabled(),
      log: (line) => this.log(line),
      name: 'sync',
      note: (line) => process.stderr.write(`${line}\n`),
      paths: this.paths,
    })
  }
}
