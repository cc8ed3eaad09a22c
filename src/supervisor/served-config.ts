// Owns what Caddy serves, and bringing it in line with the routes: all of them but what Caddy refuses.
import { type CaddyAdmin, CaddyAdminError } from '../caddy/admin.js'
import type { CaddySettings } from '../caddy/caddy-settings.js'
import { type ConfigChange, configChange } from '../caddy/config-change.js'
import type { EgressSettings } from '../caddy/egress-settings.js'
import { parseMetrics } from '../caddy/metrics.js'
import { type CaddyConfig, toCaddyConfig } from '../caddy/to-caddy-config.js'
import type { MoatPaths } from '../config/paths.js'
import { certificateHosts } from '../routing/certificate-hosts.js'
import type { RouteTable } from '../routing/route-table.js'
import { defaultDomain } from '../routing/urls.js'
import { LeftOut } from '../upkeep/left-out.js'
import { Certificates } from './certificates.js'
import { Counters } from './counters.js'
import { RouteCheck } from './route-check.js'
import { type BoundSettings, settingsFor } from './settings-for.js'

export interface ServedConfigOptions {
  admin: CaddyAdmin
  /** Path of the program. */
  binary: string
  domain: string
  log: (message: string) => void
  paths: MoatPaths
}

export class ServedConfig {
  readonly certificates: Certificates
  /** Which routes of plugins Caddy takes. */
  readonly check: RouteCheck
  /** Requests by host, whatever happens to Caddy. */
  readonly counters = new Counters()
  /** What is opened for agents. */
  egress: EgressSettings | undefined
  settings: CaddySettings | undefined
  readonly #leftOut = new LeftOut()
  readonly #options: ServedConfigOptions
  #config: CaddyConfig | undefined
  #isDeaf = false

  constructor(options: ServedConfigOptions) {
    this.#options = options
    this.certificates = new Certificates(options)
    this.check = new RouteCheck(options.binary)
  }

  /** False while Caddy is down. */
  get isServed(): boolean {
    return this.#config !== undefined
  }

  /**
   * Where a Caddy listens that is to serve, or has outlived its supervisor.
   * @param plain the socket for plain HTTP of one that can tell it.
   */
  listens(bound: BoundSettings, plain: string | undefined): CaddySettings {
    const { domain, paths } = this.#options
    this.settings = settingsFor(bound, { before: this.settings, domain, paths, plain })
    return this.settings
  }

  /** A Caddy that outlived its supervisor serves this. */
  adopted(config: CaddyConfig): void {
    this.#config = config
  }

  /** A new Caddy serves this. */
  started(config: CaddyConfig, table: RouteTable): void {
    this.#config = config
    this.#isDeaf = false
    this.#leftOut.accepted(table)
    this.counters.restarted()
    this.certificates.forgotten()
  }

  /** Nobody serves anything. */
  ended(): void {
    this.#config = undefined
  }

  /** The routes but for those that Caddy refuses. */
  table(routes: RouteTable): RouteTable {
    return this.#leftOut.without(this.check.accepted(routes))
  }

  /** The config that serves these routes. */
  configFor(settings: CaddySettings, table: RouteTable): CaddyConfig {
    return toCaddyConfig({ ...settings, ...(this.egress && { egress: this.egress }) }, table)
  }

  /** True when Caddy has yet to be told something. While it is down, nothing: it starts again with the latest routes. */
  differs(routes: RouteTable): boolean {
    return this.#isDeaf || this.#pending(this.table(routes)) !== undefined
  }

  /** Caddy takes no connections any more: it is to listen anew before anything else. */
  deaf(): void {
    this.#isDeaf = this.isServed
  }

  /** True while Caddy hears nobody, or has refused something that will be tried again. */
  get isUnsettled(): boolean {
    return this.#isDeaf || this.#leftOut.hasAny
  }

  /** True when something that Caddy refused is to be tried again, or everything, since it hears nobody. */
  isDue(routes: RouteTable): boolean {
    return this.#isDeaf || this.#leftOut.isDue(routes)
  }

  /** One sentence for each endpoint that is not served as it should be; undefined when there is none. */
  problemOf(routes: RouteTable): string | undefined {
    return this.check.describe(routes) ?? this.#leftOut.describe(this.check.accepted(routes))
  }

  /** Resolves when Caddy serves the routes. */
  async bringInLine(routes: RouteTable): Promise<void> {
    if (this.#isDeaf && this.#config) await this.#listenAnew(this.#config)
    if (this.certificates.areOutdated) await this.#forgetCertificates(this.table(routes))
    let refusal = await this.#replace(this.table(routes))
    // An endpoint whose routes Caddy refuses has an answer that says so.
    if (refusal && (await this.check.examine(routes.hostRoutes))) refusal = await this.#replace(this.table(routes))
    if (!refusal) return this.#leftOut.accepted(this.table(routes))
    const push = async (table: RouteTable) => (await this.#replace(table))?.message
    await this.#leftOut.settle(this.table(routes), push, refusal)
    this.#options.log(this.problemOf(routes) ?? refusal.message)
  }

  /** Takes in what Caddy has counted since the last time. A Caddy that does not answer has counted nothing. */
  async count(): Promise<void> {
    if (!this.#config) return
    const counted = await this.#options.admin.readMetrics().catch(() => undefined)
    if (counted !== undefined) this.counters.add(parseMetrics(counted), performance.now())
  }

  #pending(table: RouteTable): { change: ConfigChange; next: CaddyConfig } | undefined {
    if (!this.settings || !this.#config) return undefined
    const next = this.configFor(this.settings, table)
    const outdated = this.certificates.areOutdated ? { path: [], value: next } : undefined
    const change = configChange(this.#config, next) ?? outdated
    return change && { change, next }
  }

  /** Resolves with Caddy's refusal, if it refuses. */
  async #replace(table: RouteTable): Promise<CaddyAdminError | undefined> {
    const pending = this.#pending(table)
    if (!pending) return undefined
    // Caddy counts anew with each config.
    await this.count()
    try {
      await this.#options.admin.replace(pending.change.path, pending.change.value)
    } catch (error) {
      if (error instanceof CaddyAdminError && error.isRefusal) return error
      throw error
    }
    this.counters.restarted()
    this.#config = pending.next
    return undefined
  }

  /** A refusal is no endpoint's fault here, so it is thrown. */
  async #listenAnew(config: CaddyConfig): Promise<void> {
    await this.count()
    await this.#options.admin.reload(config)
    this.counters.restarted()
    this.#isDeaf = false
    this.#options.log('Caddy took no connections any more and was made to listen anew')
  }

  async #forgetCertificates(table: RouteTable): Promise<void> {
    const pending = this.#pending(table)
    if (!pending) return
    const own = certificateHosts([], this.settings?.domain ?? defaultDomain)
    const forgetful = await this.certificates.forgetful(pending.next, own)
    await this.#options.admin.replace([], forgetful)
    this.#config = forgetful
    this.certificates.forgotten()
  }
}
