// Owns one Caddy: starts or adopts it, keeps it alive, and brings its config in line with the routes.
import { randomBytes } from 'node:crypto'
import { forgetOldLeaves } from '../authority/root.js'
import { CaddyAdmin, CaddyAdminError } from '../caddy/admin.js'
import type { CaddySettings, NamesSettings } from '../caddy/caddy-settings.js'
import { type ConfigChange, configChange } from '../caddy/config-change.js'
import type { CaddyBinary } from '../caddy/find-caddy.js'
import { parseMetrics } from '../caddy/metrics.js'
import { spawnCaddy } from '../caddy/spawn-caddy.js'
import { storedHosts } from '../caddy/stored-hosts.js'
import { type CaddyConfig, forgetfulConfig, toCaddyConfig } from '../caddy/to-caddy-config.js'
import type { MoatPaths } from '../config/paths.js'
import { messageOf } from '../errors.js'
import type { ProcessIdentity } from '../processes/process-facts.js'
import { certificateHosts, emptyTable, hostsOf, type RouteTable } from '../routing/route-table.js'
import { handshakePort, type ProxyAddress } from '../routing/urls.js'
import { bindPorts } from './bind-ports.js'
import { Coalescer } from './coalescer.js'
import { Counters } from './counters.js'
import { RouteCheck } from './route-check.js'
import { clearCaddys, endCaddy, findRunningCaddy } from './running-caddy.js'
import { isVouchedFor, warmCertificates } from './warm-certificates.js'
import { watchCaddy } from './watch-caddy.js'

/** Each config change closes idle connections, so changes after the first share one push a second. Milliseconds. */
const pushInterval = 1_000
const restartWait = { first: 100, longest: 5_000 }
/** A Caddy that lived this long restarts at once when it dies. Milliseconds. */
const stableAfter = 10_000
/** The first inherited descriptor in a child with stdin, stdout and stderr. */
const firstInheritedDescriptor = 3

export interface ManagedCaddyOptions {
  binary: CaddyBinary
  domain: string
  log: (message: string) => void
  onProblem: (problem: string | undefined) => void
  paths: MoatPaths
}

export class ManagedCaddy {
  /** Which routes of plugins Caddy takes. */
  readonly check: RouteCheck
  /** Requests by host, whatever happens to Caddy. */
  readonly counters = new Counters()
  readonly #admin: CaddyAdmin
  readonly #options: ManagedCaddyOptions
  readonly #push = new Coalescer(
    () => this.#applyRoutes(),
    pushInterval,
    () => this.#pending() !== undefined,
  )
  #config: CaddyConfig | undefined
  /** Set when the root was replaced: hosts of which Caddy may still have a certificate of the old one. */
  #outdated: string[] | undefined
  #identity: ProcessIdentity | undefined
  #routes: RouteTable = emptyTable
  #settings: CaddySettings | undefined
  #starting: Promise<void> | undefined
  #stopping = false
  #warmed = new Set<string>()
  #unwatch: (() => void) | undefined

  constructor(options: ManagedCaddyOptions) {
    this.#options = options
    this.#admin = new CaddyAdmin(options.paths.adminSocket)
    this.check = new RouteCheck(options.binary.path)
  }

  get pid(): number | undefined {
    return this.#identity?.pid
  }

  get routes(): RouteTable {
    return this.#routes
  }

  get address(): ProxyAddress {
    if (!this.#settings) throw new Error('Caddy has not been started.')
    const { domain, port } = this.#settings
    return { domain, port }
  }

  /** Takes over a Caddy that outlived its supervisor. False when there is none. */
  async adopt(): Promise<boolean> {
    const { domain, log, paths } = this.#options
    const found = await findRunningCaddy(this.#admin, paths)
    if (!found) return false
    const { config, identity, listeners, names, port } = found
    this.#config = config
    this.#settings = this.#settingsFor(listeners, port, names)
    this.#identity = identity
    this.#unwatch = watchCaddy(paths.adminSocket, identity, () => this.#died('the adopted Caddy ended', 0))
    log(`adopted Caddy (pid ${identity.pid}) on port ${port}`)
    const { caCertificate, caddyStorage } = paths
    // A supervisor that was killed while it replaced the root left it with the old one's.
    if (!(await isVouchedFor({ domain, port }, caCertificate))) this.#outdated = await storedHosts(caddyStorage)
    return true
  }

  /** Binds the port and starts Caddy with these routes. */
  async start(port: number, routes: RouteTable): Promise<void> {
    this.#routes = routes
    // One that could not be adopted has the port that is in URLs already.
    await this.#spawn((await clearCaddys(this.#options.paths, this.#options.log)) ?? port)
    await this.#warm()
  }

  /** Ends a Caddy that outlived its supervisor, if there is one. */
  async end(): Promise<void> {
    const found = await findRunningCaddy(this.#admin, this.#options.paths)
    if (found) await endCaddy(this.#admin, found.identity, this.#options.log)
  }

  /** Resolves when Caddy serves these routes; at most one config change a second is pushed. */
  setRoutes(routes: RouteTable): Promise<void> {
    this.#routes = routes
    return this.#push.request()
  }

  /** Takes in what Caddy has counted since the last time. A Caddy that does not answer has counted nothing. */
  async count(): Promise<void> {
    if (!this.#config) return
    const counted = await this.#admin.readMetrics().catch(() => undefined)
    if (counted !== undefined) this.counters.add(parseMetrics(counted), Date.now())
  }

  /** Resolves when Caddy reports requests to these hosts, and to no others. */
  async setRecorded(hosts: readonly string[]): Promise<void> {
    if (!this.#settings) return
    this.#settings = { ...this.#settings, recorded: hosts }
    await this.#push.request()
  }

  /** Resolves when every certificate comes from the root in place, those of `hosts` too. No connection is cut. */
  reissue(hosts: string[]): Promise<void> {
    this.#outdated = hosts
    return this.#push.request()
  }

  /** Stops watching and leaves Caddy serving, for the next supervisor to adopt. */
  leave(): void {
    this.#stopping = true
    this.#unwatch?.()
  }

  /** Stops Caddy; resolves when its process has ended and the port is free. */
  async stop(): Promise<void> {
    this.leave()
    // One that is just being started would be nobody's.
    await this.#starting?.catch(() => {})
    if (this.#identity) await endCaddy(this.#admin, this.#identity, this.#options.log)
  }

  #spawn(port: number): Promise<void> {
    this.#starting = this.#spawnOnce(port)
    return this.#starting
  }

  async #spawnOnce(port: number): Promise<void> {
    const bound = await bindPorts(port)
    try {
      const inherited = bound.descriptors.map((_, index) => `fd/${firstInheritedDescriptor + index}`)
      const names = { listener: inherited.at(-1) ?? '', port: bound.namesPort, secret: randomBytes(16).toString('hex') }
      this.#settings = this.#settingsFor(inherited.slice(0, -1), bound.port, names)
      // One endpoint's bad routes would keep Caddy from starting at all.
      await this.check.examine(this.#routes.hostRoutes)
      const config = toCaddyConfig(this.#settings, this.check.accepted(this.#routes))
      const { exited, identity } = await spawnCaddy({
        binary: this.#options.binary.path,
        config,
        env: process.env,
        listeningFds: bound.descriptors,
        onInherited: bound.close,
        paths: this.#options.paths,
      })
      this.#config = config
      this.counters.restarted()
      this.#outdated = undefined
      this.#identity = identity
      const startedAt = performance.now()
      this.#options.log(`Caddy ${this.#options.binary.version} (pid ${identity.pid}) serves port ${bound.port}`)
      void exited.then((status) => {
        if (this.#identity === identity)
          this.#died(`Caddy ended (${status.signal ?? status.code})`, performance.now() - startedAt)
      })
    } finally {
      bound.close()
    }
  }

  #died(reason: string, livedFor: number): void {
    this.#unwatch?.()
    this.#identity = undefined
    this.#config = undefined
    if (this.#stopping) return
    this.#options.log(`${reason}; starting it again`)
    this.#restart(livedFor >= stableAfter || livedFor === 0 ? 0 : restartWait.first)
  }

  #restart(wait: number): void {
    setTimeout(() => {
      if (this.#stopping) return
      this.#spawn(this.address.port).then(
        () => {
          this.#options.onProblem(undefined)
          // The new process has no certificate in memory yet.
          this.#warmed.clear()
          this.#warm().catch((error) => this.#options.log(messageOf(error)))
        },
        (error) => {
          this.#options.log(`Caddy could not be started again: ${messageOf(error)}`)
          this.#options.onProblem(messageOf(error))
          this.#restart(Math.min(Math.max(wait * 2, restartWait.first), restartWait.longest))
        },
      )
    }, wait)
  }

  /** What Caddy has yet to be told. While it is down, nothing: it starts again with the latest routes. */
  #pending(): { change: ConfigChange; next: CaddyConfig } | undefined {
    if (!this.#settings || !this.#config) return undefined
    const next = toCaddyConfig(this.#settings, this.check.accepted(this.#routes))
    const change = configChange(this.#config, next) ?? (this.#outdated ? { path: [], value: next } : undefined)
    return change && { change, next }
  }

  async #applyRoutes(): Promise<void> {
    if (this.#outdated) await this.#forgetCertificates(this.#outdated)
    try {
      await this.#replace()
    } catch (error) {
      // The rest goes live without the routes that Caddy refuses.
      if (!(error instanceof CaddyAdminError) || !(await this.check.examine(this.#routes.hostRoutes))) throw error
      await this.#replace()
    }
    await this.#warm()
  }

  async #replace(): Promise<void> {
    const pending = this.#pending()
    if (!pending) return
    // Caddy counts anew with each config.
    await this.count()
    await this.#admin.replace(pending.change.path, pending.change.value)
    this.counters.restarted()
    this.#config = pending.next
  }

  async #forgetCertificates(hosts: readonly string[]): Promise<void> {
    const pending = this.#pending()
    if (!pending) return
    const forgetful = forgetfulConfig(pending.next, hosts)
    // Caddy may have stored another since the root was replaced.
    await forgetOldLeaves(this.#options.paths)
    await this.#admin.replace([], forgetful)
    this.#config = forgetful
    this.#outdated = undefined
    this.#warmed.clear()
  }

  /** Prepares the certificates of hosts that are new since the last time. */
  async #warm(): Promise<void> {
    const hosts = certificateHosts(hostsOf(this.#routes), this.#options.domain)
    const fresh = hosts.filter((host) => !this.#warmed.has(host))
    this.#warmed = new Set(hosts)
    await warmCertificates(fresh, handshakePort(this.address.port), this.#options.paths.caCertificate)
  }

  #settingsFor(listeners: string[], port: number, names: NamesSettings): CaddySettings {
    const { domain, paths } = this.#options
    const { accessSocket, adminSocket, caCertificate, caKey, caddyStorage, filesSocket, inside, pagesSocket } = paths
    const sockets = { accessSocket, adminSocket, filesSocket, inside, pagesSocket }
    // A new process goes on reporting what somebody watches.
    const recorded = this.#settings?.recorded ?? []
    const directories = { proxy: paths.proxy, storage: caddyStorage }
    return { ...sockets, ...directories, caCertificate, caKey, domain, listeners, names, port, recorded }
  }
}
