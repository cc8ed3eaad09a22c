import { Flags } from '@oclif/core'
import { probeStores, type StoreStatus } from '../../authority/plan-trust.js'
import { runtimeHints } from '../../authority/runtime-hints.js'
import { MoatError } from '../../errors.js'
import { addressOf } from '../../supervisor/protocol.js'
import { findProxy } from '../../supervisor/proxy.js'
import { formatTrust } from '../../terminal/format-trust.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { changeTrust, hasFailed, storesOf, type TrustOutcome } from '../../terminal/trust-session.js'

export default class Trust extends MoatCommand {
  static override description = `Have browsers and tools on this machine trust the proxy's certificates
Shows the commands it will run, and asks. moat proxy untrust takes everything back.`
  static override enableJsonFlag = true
  static override flags = {
    print: Flags.boolean({ description: 'Only print the commands', exclusive: ['yes', 'status'] }),
    status: Flags.boolean({ description: 'Ask the running proxy through a client of each store' }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask', exclusive: ['status'] }),
  }

  async run(): Promise<TrustOutcome | { stores: StoreStatus[] }> {
    const { flags } = await this.parse(Trust)
    if (flags.status) return this.#status()
    const outcome = await changeTrust({
      json: this.jsonEnabled(),
      log: (line) => this.log(line),
      note: (line) => process.stderr.write(`${line}\n`),
      paths: this.paths,
      print: flags.print,
      trust: { domain: (await this.proxyOptions()).wanted.domain },
      yes: flags.yes,
    })
    if (hasFailed(outcome)) process.exitCode = 1
    const hints = runtimeHints(this.paths.caCertificate, this.paths.javaStore, process.platform)
    if (outcome.agreed)
      for (const line of flags.print ? hints.map((hint) => `# ${hint}`) : ['', ...hints]) this.log(line)
    return outcome
  }

  async #status(): Promise<{ stores: StoreStatus[] }> {
    const proxy = await findProxy(await this.proxyOptions())
    if (!proxy) {
      throw new MoatError('TRUST_FAILED', 'The proxy is not running, so no client can be asked whether it trusts it.', {
        suggestions: ['moat proxy start --detach && moat proxy trust --status'],
      })
    }
    const stores = await probeStores(await storesOf(this.paths), addressOf(proxy))
    this.log(formatTrust(stores))
    if (stores.some(({ trusted }) => trusted !== true)) process.exitCode = 1
    return { stores }
  }
}
