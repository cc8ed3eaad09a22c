// Owns which certificates Caddy has ready, and which of them it has to forget because their root was replaced.
import { Leaves } from '../authority/leaves.js'
import { forgetOldLeaves } from '../authority/root.js'
import { storedHosts } from '../caddy/stored-hosts.js'
import { type CaddyConfig, forgetfulConfig } from '../caddy/to-caddy-config.js'
import type { MoatPaths } from '../config/paths.js'
import { certificateHosts, type RouteTable } from '../routing/route-table.js'
import { handshakePort, type ProxyAddress } from '../routing/urls.js'
import { isVouchedFor, warmCertificates } from './warm-certificates.js'

export interface CertificatesOptions {
  domain: string
  log: (message: string) => void
  paths: Pick<MoatPaths, 'caCertificate' | 'caddyStorage' | 'caKey' | 'proxy'>
}

export class Certificates {
  readonly #leaves: Leaves
  readonly #paths: Pick<MoatPaths, 'caCertificate' | 'caddyStorage'>
  /** Set when the root was replaced: hosts of which Caddy may still have a certificate of the old one. */
  #outdated: string[] | undefined
  readonly #warmed = new Set<string>()

  constructor(options: CertificatesOptions) {
    this.#leaves = new Leaves(options)
    this.#paths = options.paths
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

  /** Nothing is made any more. */
  close(): void {
    this.#leaves.close()
  }

  /** Prepares the certificates of all agents, of the domain and of `localhost`. */
  async warm(routes: RouteTable, { domain, port }: ProxyAddress): Promise<void> {
    await this.#leaves.apply(routes)
    const fresh = certificateHosts([], domain).filter((host) => !this.#warmed.has(host))
    for (const host of fresh) this.#warmed.add(host)
    await warmCertificates(fresh, handshakePort(port), this.#paths.caCertificate)
  }
}
