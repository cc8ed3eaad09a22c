import { Flags } from '@oclif/core'
import { MoatCommand } from '../../terminal/moat-command.js'
import { changeTrust, hasFailed, type TrustOutcome } from '../../terminal/trust-session.js'

export default class Untrust extends MoatCommand {
  static override description = `Remove moat's authority from every trust store
Roots that moat proxy ca rotate has replaced go too.`
  static override enableJsonFlag = true
  static override flags = {
    all: Flags.boolean({ description: 'Also remove those of other users, and of a ~/.moat that no longer exists' }),
    print: Flags.boolean({ description: 'Only print the commands', exclusive: ['yes'] }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask' }),
  }

  async run(): Promise<TrustOutcome> {
    const { flags } = await this.parse(Untrust)
    const outcome = await changeTrust({
      all: flags.all,
      json: this.jsonEnabled(),
      log: (line) => this.log(line),
      note: (line) => process.stderr.write(`${line}\n`),
      paths: this.paths,
      print: flags.print,
      trust: false,
      yes: flags.yes,
    })
    if (hasFailed(outcome)) process.exitCode = 1
    return outcome
  }
}
