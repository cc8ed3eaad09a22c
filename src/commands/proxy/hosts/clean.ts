import { resolve } from 'node:path'
import { hostsFlags } from '../../../terminal/hosts-flags.js'
import { changeHosts, type HostsOutcome } from '../../../terminal/hosts-session.js'
import { MoatCommand } from '../../../terminal/moat-command.js'

export default class Clean extends MoatCommand {
  static override description = "Remove moat's block from the hosts file"
  static override enableJsonFlag = true
  static override flags = hostsFlags

  async run(): Promise<HostsOutcome> {
    const { flags } = await this.parse(Clean)
    return changeHosts({
      ...flags,
      file: resolve(flags.file),
      hosts: [],
      json: this.jsonEnabled(),
      log: (line) => this.log(line),
      name: 'clean',
      note: (line) => process.stderr.write(`${line}\n`),
      paths: this.paths,
    })
  }
}
