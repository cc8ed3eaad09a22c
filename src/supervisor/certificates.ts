// Owns which certificates Caddy has ready, and which of them it has to forget because their root was replaced.
import { forgetEgressLeaves } from '../authority/egress-root.js'
import { forgetOldLeaves } from '../authority/root.js'
import { forgetStoredHosts, storedHosts } from '../caddy/stored-hosts.js'
import { type CaddyConfig, forgetfulConfig } from '../caddy/to-caddy-config.js'
import type { MoatPaths } from '../config/paths.js'
import { certificateHosts } from '../routing/route-table.js'
import { handshakePort, type ProxyAddress } from '../routing/urls.js'
import { isVouchedFor, warmCertificates } from './warm-certificates.js'

export interface OutdatedHosts {
  /** Of the second root. */
  opened?: string[]
  /** Of the first; present when that was replaced. */
  own?: string[]
}

export class Certificates {
  readonly #paths: Pick<MoatPaths, 'caCertificate' | 'caddyStorage' | 'egressStorage'>
  /** Set when a root was replaced: hosts of which Caddy may still have a certificate of the old one. */
  #outdated: OutdatedHosts | undefined
  #warmed = new Set<string>()
  /** Hosts that come and go while their agents run. */
  #passing = new Set<string>()

  constructor(paths: Pick<MoatPaths, 'caCertificate' | 'caddyStorage' | 'egressStorage'>) {
    this.#paths = paths
  }

  get areOutdated(): boolean {
    return this.#outdated !== undefined
  }

  outdate(hosts: OutdatedHosts): void {
    const { opened = [], own } = this.#outdated ?? {}
    const all = own || hosts.own ? [...(own ?? []), ...(hosts.own ?? [])] : undefined
    this.#outdated = { opened: [...opened, ...(hosts.opened ?? [])], ...(all && { own: all }) }
  }

  /** A supervisor that was killed while it replaced the root left Caddy with the old one's. */
  async examine(address: ProxyAddress): Promise<void> {
    if (await isVouchedFor(address, this.#paths.caCertificate)) return
    this.outdate({ own: await storedHosts(this.#paths.caddyStorage) })
  }

  /** What to push so that Caddy forgets the certificates of the old root, those of `hosts` too; the files are gone by then. */
  async forgetful(next: CaddyConfig, hosts: readonly string[]): Promise<CaddyConfig> {
    const { opened = [], own } = this.#outdated ?? {}
    const forgetful = forgetfulConfig(next, own ? [...own, ...hosts] : [], opened)
    // Caddy may have stored another since the root was replaced.
    if (own) await forgetOldLeaves(this.#paths)
    if (opened.length > 0) await forgetEgressLeaves(this.#paths)
    return forgetful
  }

  /** Caddy has none in memory: it has forgotten them, or is new. */
  forgotten(): void {
    this.#outdated = undefined
    this.#warmed.clear()
  }

  /**
   * Of hosts that come and go as containers like, nothing is prepared, and those that are gone leave nothing behind: a container
   * could have one for each of its ports.
   */
  async keepPassing(hosts: readonly string[]): Promise<void> {
    const gone = [...this.#passing].filter((host) => !hosts.includes(host))
    this.#passing = new Set(hosts)
    await forgetStoredHosts(this.#paths.caddyStorage, gone)
  }

  /** Prepares the certificates of hosts that are new since the last time. */
  async warm(hosts: readonly string[], { domain, port }: ProxyAddress): Promise<void> {
    const wanted = certificateHosts(hosts, domain)
    const fresh = wanted.filter((host) => !this.#warmed.has(host))
    this.#warmed = new Set(wanted)
    await warmCertificates(fresh, handshakePort(port), this.#paths.caCertificate)
  }
}
