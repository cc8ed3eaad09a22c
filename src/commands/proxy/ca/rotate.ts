import { Flags } from '@oclif/core'
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
The proxy goes on without a restart. Whoever trusts the old root has to trust the new one.

With --egress, the root that is replaced is the one for hosts elsewhere, by which requests of agents with rules about paths, or with
grants, are opened. Only containers trust it.`
  static override enableJsonFlag = true
  static override flags = {
    egress: Flags.boolean({ description: 'Replace the root for what agents reach elsewhere' }),
  }

  async run(): Promise<RotateOutcome> {
    const { flags } = await this.parse(Rotate)
    const rotation = await rotateRoot(await this.proxyOptions(), flags.egress ? 'egress' : 'own')
    this.log(`The new root certificate is ${rotation.fingerprint}`)
    this.log(
      flags.egress ? inContainers : '\nNothing trusts it yet. To trust it and forget the old one:\n  moat proxy trust',
    )
    return { ca: flags.egress ? this.paths.egressCertificate : this.paths.caCertificate, ...rotation }
  }
}

const inContainers = `
Agents started from now on trust it, and in those that run, programs started from now on. A program that runs and has read its
authorities, as Node does at its start, refuses opened hosts until it is started again. For Chromium, start the agent again.`
