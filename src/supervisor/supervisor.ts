// Owns the one supervisor of a user: the engine's agents on one side, Caddy on the other, and when both are let go.
import type { Rotation } from '../authority/roots.js'
import { type CaddyBinary, findCaddy } from '../caddy/find-caddy.js'
import { hostUser } from '../config/invoking-user.js'
import { pluginDirectory } from '../config/oclif-settings.js'
import type { MoatPaths } from '../config/paths.js'
import { Doors } from '../doors/doors.js'
import { withDiscovered } from '../doors/with-discovered.js'
import { describeUnsealed } from '../engine/unsealed.js'
import { MoatError, messageOf } from '../errors.js'
import { Grants } from '../grants/grants.js'
import type { Opening } from '../opening/opening.js'
import { takeFileLock } from '../processes/file-lock.js'
import { type Agent, keepsProxy } from '../routing/agent.js'
import type { RouteTable } from '../routing/route-table.js'
import { forgetServedPort, noteServedPort } from '../upkeep/served-port.js'
import { type ControlHandlers, type ControlSocket, openControlSocket } from './control-server.js'
import { type FilesSocket, openFilesSocket } from './files-socket.js'
import { FollowedEngine } from './followed-engine.js'
import { LabelCourt } from './label-court.js'
import { agentsOfProxy, Lifetime } from './lifetime.js'
import { type LockWatch, watchLock } from './lock-watch.js'
import { ManagedCaddy } from './managed-caddy.js'
import { doorsForGrants, openWithGrants } from './open-with-grants.js'
import { OwnSite } from './own-site.js'
import { prepareAuthority } from './prepare-authority.js'
import { agentContract, type RecordingQuestion, type SupervisorArguments, type SupervisorStatus } from './protocol.js'
import { Reconciler } from './reconciler.js'
import { replaceRoot } from './replace-root.js'
import { ServedAgents } from './served-agents.js'
import { servedDomain } from './served-domain.js'
import { ServiceSweep } from './service-sweep.js'

export interface SupervisorOptions extends SupervisorArguments {
  env: NodeJS.ProcessEnv
  log: (message: string) => void
  paths: MoatPaths
}

/** Starts supervising. Undefined when another supervisor of this user already does. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor | undefined> {
  const lock = await takeFileLock(options.paths.supervisorLock)
  if (!lock) return undefined
  try {
    const domain = (await servedDomain(options.paths)) ?? options.domain
    const binary = await findCaddy({ env: options.env, paths: options.paths })
    const created = await prepareAuthority(options.paths, domain)
    const supervisor = new Supervisor({ ...options, domain }, binary, created)
    await supervisor.start()
    return supervisor
  } catch (error) {
    await lock.release()
    throw error
  }
}

export class Supervisor {
  /** True when this start made the root certificate. */
  readonly authorityCreated: boolean
  readonly #abort = new AbortController()
  readonly #binary: CaddyBinary
  readonly #caddy: ManagedCaddy
  readonly #court: LabelCourt
  readonly #doors: Doors
  readonly #engine: FollowedEngine
  readonly #ended = Promise.withResolvers<void>()
  readonly #followers = new Set<() => void>()
  readonly #lifetime: Lifetime
  readonly #lock: LockWatch
  readonly #opening: Opening
  readonly #options: SupervisorOptions
  readonly #reconciler: Reconciler
  readonly #served: ServedAgents
  readonly #services: ServiceSweep
  readonly #site: OwnSite
  #caddyProblem: string | undefined
  #files: FilesSocket | undefined
  #rotation: Promise<Rotation | undefined> = Promise.resolve(undefined)
  #socket: ControlSocket | undefined
  #serving = false
  #stopping: Promise<void> | undefined

  constructor(options: SupervisorOptions, binary: CaddyBinary, authorityCreated: boolean) {
    const { domain, env, log, paths } = options
    this.authorityCreated = authorityCreated
    this.#binary = binary
    const onDiscovery = () => this.#reconciler.rediscover()
    const onGate = () => void this.#reconciler.reconcile().catch((error) => log(messageOf(error)))
    const grants = new Grants(paths)
    const doors = { domain, env, log, onDiscovery, onGate, paths, uid: hostUser().uid }
    this.#doors = new Doors({ ...doors, ...doorsForGrants(grants, log) })
    this.#engine = new FollowedEngine(options.env, paths.home)
    this.#options = options
    this.#opening = openWithGrants(grants, { binary: binary.path, log, paths })
    this.#court = new LabelCourt(pluginDirectory(options.env), log)
    this.#caddy = new ManagedCaddy({
      binary,
      domain: options.domain,
      log,
      onProblem: (problem) => {
        this.#caddyProblem = problem
        this.#changed()
      },
      paths,
    })
    this.#lock = watchLock(paths.supervisorLock, () => {
      log('another supervisor has the lock of this one')
      void this.stop({ leaveCaddy: true })
    })
    this.#lifetime = new Lifetime(options.keep, () => {
      log('nothing needs the proxy any more')
      const swept = this.#services.sweep().then(() => this.stop())
      swept.catch((error) => log(`the proxy did not stop cleanly: ${error}`))
    })
    this.#reconciler = new Reconciler({
      connect: () => this.#engine.connect(),
      discover: (agents) => withDiscovered(agents, { paths }),
      judge: (agents) => this.#court.judge(agents),
      log,
      onAgents: (agents) => this.#serve(agents),
      signal: this.#abort.signal,
    })
    this.#services = new ServiceSweep({ engine: () => this.#reconciler.engine, hold: () => this.#lifetime.hold(), log })
    this.#served = new ServedAgents({
      agents: () => this.#reconciler.agents,
      caddy: this.#caddy,
      domain,
      doors: this.#doors,
      opening: this.#opening,
      services: this.#services,
      unsealed: () => this.#reconciler.unsealed,
    })
    this.#site = new OwnSite({
      hold: () => this.#lifetime.hold(),
      agents: () => this.#reconciler.agents,
      caddy: this.#caddy,
      engine: () => this.#reconciler.engine,
      log,
      paths,
    })
  }

  /** Resolves when everything has been let go. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  async start(): Promise<void> {
    try {
      await this.#reconciler.start()
      const routes = this.#served.tableOf(this.#reconciler.agents)
      await this.#doors.apply(routes, this.#reconciler.agents)
      await this.#opening.listen()
      this.#caddy.setOpened(await this.#opening.settingsFor(this.#reconciler.agents))
      // A Caddy that serves an earlier root is of no use to anybody who trusts the new one.
      if (this.authorityCreated) await this.#caddy.end()
      if (!(await this.#caddy.adopt())) await this.#startCaddy(routes)
      await noteServedPort(this.#options.paths, this.#caddy.address.port)
      this.#files = await openFilesSocket(this.#options.paths.filesSocket, (runId) =>
        this.#reconciler.agents.find((agent) => agent.runId === runId),
      )
      await this.#site.open()
      this.#serving = true
      this.#socket = await openControlSocket(this.#options.paths.controlSocket, this.#handlers())
      await this.#reconciler.reconcile()
    } catch (error) {
      this.#abort.abort()
      this.#lifetime.end()
      this.#lock.release()
      await this.#files?.close()
      this.#opening.close()
      await this.#site.close()
      await this.#socket?.close()
      await this.#doors.stop()
      await this.#caddy.stop()
      throw error
    }
  }

  async #startCaddy(routes: RouteTable): Promise<void> {
    const { formerPort = 0, log, port } = this.#options
    if (formerPort > 0) {
      try {
        return await this.#caddy.start(formerPort, routes)
      } catch (error) {
        if (!(error instanceof MoatError) || !['PORT_DENIED', 'PORT_TAKEN'].includes(error.code)) throw error
        log(`the port of before cannot be had: ${error.message}`)
      }
    }
    await this.#caddy.start(port, routes)
  }

  /** Stops Caddy, or leaves it serving for the next supervisor to adopt, and lets go of everything. */
  stop({ leaveCaddy } = { leaveCaddy: false }): Promise<void> {
    this.#stopping ??= this.#stop(leaveCaddy)
    return this.#stopping
  }

  async #stop(leaveCaddy: boolean): Promise<void> {
    this.#abort.abort()
    this.#lifetime.end()
    if (leaveCaddy) {
      this.#caddy.leave()
      this.#doors.leave()
    } else await Promise.all([this.#caddy.stop(), this.#doors.stop()])
    this.#lock.release()
    if (!leaveCaddy) await forgetServedPort(this.#options.paths).catch((error) => this.#options.log(messageOf(error)))
    await this.#files?.close()
    this.#opening.close()
    await this.#site.close()
    this.#options.log(leaveCaddy ? 'stopped, Caddy goes on' : 'stopped')
    this.#ended.resolve()
  }

  /**
   * Lets the last answers go out. The lock is not released: the end of the process does that, so that whoever waits
   * for the lock waits for the process.
   */
  async close(): Promise<void> {
    await this.#socket?.close()
  }

  async #serve(agents: Agent[]): Promise<void> {
    if (!this.#serving || this.#stopping) return
    // Before the push: an agent that starts now keeps the proxy even while its routes are being pushed.
    this.#lifetime.setAgents(agentsOfProxy(agents))
    await this.#served.serve(agents)
    this.#changed()
  }

  #changed(): void {
    for (const follow of this.#followers) follow()
  }

  #handlers(): ControlHandlers {
    return {
      ...this.#site.answers(),
      hold: (onStatus) => {
        const release = this.#lifetime.hold()
        const follow = () => onStatus(this.#status())
        this.#followers.add(follow)
        follow()
        return () => {
          this.#followers.delete(follow)
          release()
        }
      },
      check: (questions) => this.#caddy.check.assertAccepted(questions),
      expect: (agent) => this.#caddy.expect(agent),
      keep: () => this.#lifetime.keep(),
      record: (question, onRequest) => this.#site.record(this.#recorded(question), onRequest),
      rotate: (which) => {
        // One after the other, whatever became of the one before.
        const replace = () => replaceRoot(which, { ...this.#options, caddy: this.#caddy })
        const rotation = this.#rotation.then(replace, replace)
        this.#rotation = rotation
        return rotation
      },
      status: () => this.#status(),
      stop: (how) => this.stop(how),
      stopping: () => this.#stopping !== undefined,
      sync: () => this.#reconciler.reconcile(),
    }
  }

  #recorded({ endpoint, runId }: RecordingQuestion) {
    const agents = this.#reconciler.agents.filter((agent) => agent.runId === runId)
    return agents.map((agent) => ({ agent, ...(endpoint !== undefined && { endpoint }) }))
  }

  #status(): SupervisorStatus {
    const { agents, unsealed } = this.#reconciler
    const problem = this.#problem()
    return {
      agents: agents.filter(keepsProxy),
      ca: this.#options.paths.caCertificate,
      caddy: { layer4: this.#caddy.hasLayer4, pid: this.#caddy.pid, version: this.#binary.version },
      ...(this.#engine.address !== undefined && { engine: this.#engine.address }),
      ...this.#caddy.address,
      kept: this.#lifetime.kept,
      ...(problem !== undefined && { problem }),
      supervisor: { contract: agentContract, pid: process.pid, version: this.#options.version },
      unsealed,
    }
  }

  /** What keeps the proxy from serving all that the engine's agents ask for; the gravest alone. */
  #problem(): string | undefined {
    const { problem, unsealed } = this.#reconciler
    const renamed = unsealed.find(({ reason }) => reason === 'renamed')
    const notServed = [
      this.#court.describe(),
      this.#caddy.problemOfRoutes,
      renamed && `${describeUnsealed(renamed)}, so it has no routes: ${renamed.fix}`,
    ]
    return this.#caddyProblem ?? problem ?? this.#doors.problem ?? (notServed.filter(Boolean).join(' ') || undefined)
  }
}
