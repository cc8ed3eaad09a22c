// Owns one Caddy: starts or adopts it, keeps it alive and within reach, and has it serve the routes.
import { CaddyAdmin } from '../caddy/admin.js'
import { caddyAbilities } from '../caddy/caddy-abilities.js'
import type { EgressSettings } from '../caddy/egress-settings.js'
import type { CaddyBinary } from '../caddy/find-caddy.js'
import { connectionsOf, plainOf } from '../caddy/to-caddy-config.js'
import type { MoatPaths } from '../config/paths.js'
import { MoatError, messageOf } from '../errors.js'
import { hasParted } from '../routing/hosts-of-table.js'
import { emptyTable, type RouteTable } from '../routing/route-table.js'
import type { ProxyAddress } from '../routing/urls.js'
import { AuthorityGuard } from '../upkeep/authority-guard.js'
import { type Looking, lookAgain } from '../upkeep/look-again.js'
import { CaddyHandle } from './caddy-handle.js'
import type { OutdatedHosts } from './certificates.js'
import { Coalescer } from './coalescer.js'
import type { Counters } from './counters.js'
import { Restarts } from './restarts.js'
import type { RouteCheck } from './route-check.js'
import type { RunningRuns } from './served-agents.js'
import { ServedConfig } from './served-config.js'

/** Each config change closes idle connections, so changes after the first share one push a second. Milliseconds. */
const pushInterval = 1_000

export interface ManagedCaddyOptions {
  binary: CaddyBinary
  domain: string
  log: (message: string) => void
  onProblem: (problem: string | undefined) => void
  paths: MoatPaths
}

export class ManagedCaddy {
  readonly #guard: AuthorityGuard
  readonly #handle: CaddyHandle
  readonly #options: ManagedCaddyOptions
  readonly #push = new Coalescer(
    () => this.#applyRoutes(),
    pushInterval,
    () => this.#isNeeded(),
  )
  readonly #restarts = new Restarts(() => this.#startAgain())
  readonly #served: ServedConfig
  #failure: string | undefined
  #look: Looking | undefined
  #routes: RouteTable = emptyTable
  #starting: Promise<void> | undefined
  #stopping = false
  readonly #warm = (): Promise<void> => this.#served.certificates.warm(this.#routes, this.address)

  constructor(options: ManagedCaddyOptions) {
    const { binary, log, paths } = options
    const admin = new CaddyAdmin(paths.adminSocket)
    this.#options = options
    this.#guard = new AuthorityGuard({ binary: binary.path, domain: options.domain, paths })
    const onDeaf = () => {
      this.#served.deaf()
      this.#look?.again()
    }
    this.#handle = new CaddyHandle({ admin, binary, log, onDeaf, onEnd: (...how) => this.#died(...how), paths })
    this.#served = new ServedConfig({ admin, binary: binary.path, domain: options.domain, log, paths })
  }

  get check(): RouteCheck {
    return this.#served.check
  }

  get counters(): Counters {
    return this.#served.counters
  }

  /** True when its port serves HTTPS, plain HTTP, and TCP by name. */
  get hasLayer4(): boolean {
    return this.#served.settings?.plain !== undefined
  }

  get pid(): number | undefined {
    return this.#handle.pid
  }

  /** One sentence for each endpoint that is not served as it should be; undefined when there is none. */
  get problemOfRoutes(): string | undefined {
    return this.#served.problemOf(this.#routes)
  }

  get address(): ProxyAddress {
    if (!this.#served.settings) throw new Error('Caddy has not been started.')
    const { domain, port } = this.#served.settings
    return { domain, port }
  }

  /** Takes over a Caddy that outlived its supervisor. False when there is none. */
  async adopt(): Promise<boolean> {
    const found = await this.#handle.adopt()
    if (!found) return false
    // What it can do it was started with: the program may be another by now.
    const { config, listeners, names, port } = found
    this.#served.listens({ listeners, names, port }, plainOf(config)).connections = connectionsOf(config)
    this.#served.adopted(config)
    this.#watch()
    await this.#served.certificates.examine(this.address)
    return true
  }

  /** Binds the port and starts Caddy with these routes. */
  async start(port: number, routes: RouteTable): Promise<void> {
    this.#routes = routes
    // One that serves is better than none that could take its place.
    await this.#guard.assertReadable()
    // One that could not be adopted has the port that is in URLs already.
    await this.#spawn((await this.#handle.clear()) ?? port)
    this.#watch()
    await this.#warm()
  }

  /** Ends a Caddy that outlived its supervisor, if there is one. */
  async end(): Promise<void> {
    if (await this.#handle.adopt()) await this.#handle.stop()
  }

  /**
   * Resolves when Caddy serves these routes; at most one config change a second is pushed. Most agents need none.
   * @param running the runs of all containers that run, whether they have routes or not.
   */
  async setRoutes(routes: RouteTable, running: RunningRuns): Promise<void> {
    if (this.#served.settings && hasParted(this.#routes, routes, running)) this.#served.settings.connections += 1
    this.#routes = routes
    if (this.counters.follow(routes, running)) void this.count()
    await this.#push.request()
    if (this.#served.isServed) await this.#warm()
  }

  /** What Caddy opens for agents, from the next routes on. */
  setOpened(egress: EgressSettings | undefined): void {
    this.#served.egress = egress
  }

  /** Takes in what Caddy has counted since the last time. */
  count(): Promise<void> {
    return this.#served.count()
  }

  /** Resolves when Caddy reports requests to these hosts, and to no others. */
  async setRecorded(hosts: readonly string[]): Promise<void> {
    if (!this.#served.settings) return
    this.#served.settings = { ...this.#served.settings, recorded: hosts }
    await this.#push.request()
  }

  /** Resolves when an agent that is about to start has a certificate: it may ask for itself with its first instruction. */
  expect(agent: string): Promise<void> {
    return this.#served.certificates.expect(agent)
  }

  /** Resolves when every certificate comes from the roots in place, those of `hosts` too. No connection is cut. */
  reissue(hosts: OutdatedHosts): Promise<void> {
    this.#served.certificates.outdate(hosts)
    return this.#push.request()
  }

  /** Stops watching and leaves Caddy serving, for the next supervisor to adopt. */
  leave(): void {
    this.#stopping = true
    this.#look?.release()
    this.#served.certificates.close()
    this.#handle.leave()
  }

  /** Stops Caddy; resolves when its process has ended and the port is free. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#look?.release()
    this.#served.certificates.close()
    // One that is just being started would be nobody's.
    await this.#starting?.catch(() => {})
    await this.#handle.stop()
  }

  /** Has a look at what Caddy depends on, again and again, and puts it right. */
  #watch(): void {
    const { adminSocket, caCertificate } = this.#options.paths
    const look = () => {
      // What fails is the problem that is shown.
      if (this.#isDisturbed() || this.#served.isDue(this.#routes)) this.#push.request().catch(() => {})
    }
    const isUrgent = () => this.#isDisturbed() || this.#served.isUnsettled
    this.#look = lookAgain([adminSocket, caCertificate], look, isUrgent)
  }

  #isNeeded(): boolean {
    return this.#isDisturbed() || (!this.#stopping && this.#served.differs(this.#routes))
  }

  /** True when something is not as it was left. Cheap, however many agents there are. */
  #isDisturbed(): boolean {
    if (!this.#served.isServed || this.#stopping) return false
    return this.#failure !== undefined || this.#guard.isUnproved || !this.#handle.isInPlace
  }

  #spawn(port: number): Promise<void> {
    this.#starting = this.#spawnOnce(port)
    return this.#starting
  }

  async #spawnOnce(port: number): Promise<void> {
    await this.#guard.assertReadable()
    // One endpoint's bad routes would keep Caddy from starting at all.
    await this.#served.check.examine(this.#routes.hostRoutes)
    try {
      await this.#launch(port, this.#served.table(this.#routes))
    } catch (error) {
      if (!(error instanceof MoatError) || error.code !== 'CADDY_FAILED') throw error
      await this.#guard.assertSound()
      this.#options.log(`${error.message} It is started without agents, which are added as far as it takes them.`)
      await this.#launch(this.#served.settings?.port ?? port, emptyTable).catch(() => {
        throw error
      })
      await this.#served.bringInLine(this.#routes).catch((error) => this.#fail(messageOf(error)))
    }
  }

  async #launch(port: number, table: RouteTable): Promise<void> {
    if (this.#stopping) throw new Error('the proxy is stopping')
    const { binary, paths } = this.#options
    const plain = (await caddyAbilities(binary.path, paths)).layer4 ? paths.plainSocket : undefined
    const config = await this.#handle.launch(port, (listeners, bound, names) => {
      return this.#served.configFor(this.#served.listens({ listeners, names, port: bound }, plain), table)
    })
    this.#guard.started()
    // It may have ended at once, and is being started again.
    if (this.#handle.pid !== undefined) this.#served.started(config, table)
  }

  #died(reason: string, livedFor?: number): void {
    this.#served.ended()
    if (this.#stopping) return
    this.#options.log(`${reason}; starting it again`)
    this.#restarts.died(livedFor)
  }

  /** False when it did not start. */
  async #startAgain(): Promise<boolean> {
    if (this.#stopping) return true
    try {
      await this.#spawn(this.address.port)
    } catch (error) {
      this.#fail(messageOf(error))
      return false
    }
    this.#fail(undefined)
    this.#warm().catch((error) => this.#options.log(messageOf(error)))
    return true
  }

  async #applyRoutes(): Promise<void> {
    try {
      // Caddy's admin API does not survive an authority that it cannot load.
      await this.#guard.assertSound()
      if (!(await this.#handle.reach())) {
        this.#starting = this.#replaceCaddy()
        await this.#starting
      }
      await this.#served.bringInLine(this.#routes)
      await this.#warm()
      this.#fail(undefined)
    } catch (error) {
      this.#fail(messageOf(error))
      throw error
    } finally {
      this.#look?.again()
    }
  }

  /** Caddy serves and cannot be told anything: another one answers new connections a moment later. */
  async #replaceCaddy(): Promise<void> {
    this.#served.ended()
    await this.#handle.drop()
    try {
      await this.#spawnOnce(this.address.port)
    } catch (error) {
      this.#restarts.failed()
      throw error
    }
  }

  /** The problem that is shown, and said once. */
  #fail(problem: string | undefined): void {
    if (problem === this.#failure) return
    this.#failure = problem
    this.#look?.again()
    if (problem !== undefined) this.#options.log(problem)
    this.#options.onProblem(problem)
  }
}
