import { rotateRoot } from '../../../supervisor/proxy.js'
import { MoatCommand } from '../../../terminal/moat-command.js'

export interface RotateOutcome {
  /** Path of the root certificate. */
  ca: string
  /** SHA-256 of the new root. */
  fingerprint: string
  /** Of the one it replaces. */
  previous?: string
}

export default class Rotate extends MoatCommand {
  static override description = `Replace the proxy's root certificate with a new one
The proxy goes on without a restart. Whoever trusts the old root has to trust the new one.`
  static override enableJsonFlag = true

  async run(): Promise<RotateOutcome> {
    await this.parse(Rotate)
    const rotation = await rotateRoot(await this.proxyOptions())
    this.log(`The new root certificate is ${rotation.fingerprint}`)
    this.log('\nNothing trusts it yet. To trust it and forget the old one:\n  moat proxy trust')
    return { ca: this.paths.caCertificate, ...rotation }
  }
}
