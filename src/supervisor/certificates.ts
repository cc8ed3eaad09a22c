// Owns which certificates Caddy has ready, and which of them it has to forget because their root was replaced.
import { forgetEgressLeaves } from '../authority/egress-root.js'
import { Leaves } from '../authority/leaves.js'
import { forgetOldLeaves } from '../authority/root.js'
import { storedHosts } from '../caddy/stored-hosts.js'
import { type CaddyConfig, forgetfulConfig } from '../caddy/to-caddy-config.js'
import type { MoatPaths } from '../config/paths.js'
import { certificateHosts } from '../routing/certificate-hosts.js'
import type { RouteTable } from '../routing/route-table.js'
import { handshakePort, type ProxyAddress } from '../routing/urls.js'
import { isVouchedFor, warmCertificates } from './warm-certificates.js'

export interface OutdatedHosts {
  /** Of the second root. */
  opened?: string[]
  /** Of the first; present when that was replaced. */
  own?: string[]
}

export interface CertificatesOptions {
  domain: string
  log: (message: string) => void
  paths: Pick<MoatPaths, 'caCertificate' | 'caddyStorage' | 'caKey' | 'egressStorage' | 'proxy'>
}

export class Certificates {
  readonly #leaves: Leaves
  readonly #paths: Pick<MoatPaths, 'caCertificate' | 'caddyStorage' | 'egressStorage'>
  /** Set when a root was replaced: hosts of which Caddy may still have a certificate of the old one. */
  #outdated: OutdatedHosts | undefined
  readonly #warmed = new Set<string>()

  constructor(options: CertificatesOptions) {
    this.#leaves = new Leaves(options)
    this.#paths = options.paths
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

  /** Resolves when an agent that is about to start has its own. */
  expect(agent: string): Promise<void> {
    return this.#leaves.expect(agent)
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
