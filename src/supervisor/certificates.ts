// Owns which certificates Caddy has ready, and which of them it has to forget because their root was replaced.
import { forgetOldLeaves } from '../authority/root.js'
import { forgetStoredHosts, storedHosts } from '../caddy/stored-hosts.js'
import { type CaddyConfig, forgetfulConfig } from '../caddy/to-caddy-config.js'
import type { MoatPaths } from '../config/paths.js'
import { certificateHosts } from '../routing/route-table.js'
import { handshakePort, type ProxyAddress } from '../routing/urls.js'
import { isVouchedFor, warmCertificates } from './warm-certificates.js'

export class Certificates {
  readonly #paths: Pick<MoatPaths, 'caCertificate' | 'caddyStorage'>
  /** Set when the root was replaced: hosts of which Caddy may still have a certificate of the old one. */
  #outdated: string[] | undefined
  #warmed = new Set<string>()
  /** Hosts that come and go while their agents run. */
  #passing = new Set<string>()

  constructor(paths: Pick<MoatPaths, 'caCertificate' | 'caddyStorage'>) {
    this.#paths = paths
  }

  get areOutdated(): boolean {
    return this.#outdated !== undefined
  }

  outdate(hosts: string[]): void {
    this.#outdated = hosts
  }

  /** A supervisor that was killed while it replaced the root left Caddy with the old one's. */
  async examine(address: ProxyAddress): Promise<void> {
    if (await isVouchedFor(address, this.#paths.caCertificate)) return
    this.#outdated = await storedHosts(this.#paths.caddyStorage)
  }

  /** What to push so that Caddy forgets the certificates of the old root, those of `hosts` too; the files are gone by then. */
  async forgetful(next: CaddyConfig, hosts: readonly string[]): Promise<CaddyConfig> {
    const forgetful = forgetfulConfig(next, [...(this.#outdated ?? []), ...hosts])
    // Caddy may have stored another since the root was replaced.
    await forgetOldLeaves(this.#paths)
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
