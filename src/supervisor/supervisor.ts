// Owns the one supervisor of a user: the engine's agents on one side, Caddy on the other, and when both are let go.
import { ensureAuthority } from '../authority/root.js'
import { type Rotation, rotateAuthority } from '../authority/rotate.js'
import { CaddyAdmin } from '../caddy/admin.js'
import { type CaddyBinary, findCaddy } from '../caddy/find-caddy.js'
import { storedHosts } from '../caddy/stored-hosts.js'
import { domainOf } from '../caddy/to-caddy-config.js'
import { pluginDirectory } from '../config/oclif-settings.js'
import type { MoatPaths } from '../config/paths.js'
import { connectEngine } from '../engine/connect-engine.js'
import type { Engine } from '../engine/engine.js'
import { type Agent, needsProxy } from '../routing/agent.js'
import { routeTable } from '../routing/route-table.js'
import { AgentDirectories } from './agent-directories.js'
import { type ControlHandlers, type ControlSocket, openControlSocket } from './control-server.js'
import { takeFileLock } from './file-lock.js'
import { type FilesSocket, openFilesSocket } from './files-socket.js'
import { LabelCourt } from './label-court.js'
import { Lifetime } from './lifetime.js'
import { ManagedCaddy } from './managed-caddy.js'
import { OwnSite } from './own-site.js'
import type { RecordingQuestion, SupervisorArguments, SupervisorStatus } from './protocol.js'
import { Reconciler } from './reconciler.js'

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
    const { created } = await ensureAuthority(options.paths, domain)
    const binary = await findCaddy({ env: options.env, paths: options.paths })
    const supervisor = new Supervisor({ ...options, domain }, binary, created)
    await supervisor.start()
    return supervisor
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** The domain of a Caddy that outlived its supervisor: it goes on serving that one, whatever config.yaml says by now. */
async function servedDomain({ adminSocket }: MoatPaths): Promise<string | undefined> {
  const config = await new CaddyAdmin(adminSocket).readConfig().catch(() => undefined)
  return config && domainOf(config)
}

export class Supervisor {
  /** True when this start made the root certificate. */
  readonly authorityCreated: boolean
  readonly #abort = new AbortController()
  readonly #binary: CaddyBinary
  readonly #directories: AgentDirectories
  readonly #caddy: ManagedCaddy
  readonly #court: LabelCourt
  readonly #ended = Promise.withResolvers<void>()
  readonly #followers = new Set<() => void>()
  readonly #lifetime: Lifetime
  readonly #options: SupervisorOptions
  readonly #reconciler: Reconciler
  readonly #site: OwnSite
  #caddyProblem: string | undefined
  #engineAddress: string | undefined
  #engineSocket: string | undefined
  #files: FilesSocket | undefined
  #rotation: Promise<Rotation | undefined> = Promise.resolve(undefined)
  #socket: ControlSocket | undefined
  #serving = false
  #stopping: Promise<void> | undefined

  constructor(options: SupervisorOptions, binary: CaddyBinary, authorityCreated: boolean) {
    const { log, paths } = options
    this.authorityCreated = authorityCreated
    this.#binary = binary
    this.#directories = new AgentDirectories(paths)
    this.#options = options
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
    this.#lifetime = new Lifetime(options.keep, () => {
      log('nothing needs the proxy any more')
      this.stop().catch((error) => log(`the proxy did not stop cleanly: ${error}`))
    })
    this.#reconciler = new Reconciler({
      connect: () => this.#connect(),
      judge: (agents) => this.#court.judge(agents),
      log,
      onAgents: (agents) => this.#serve(agents),
      signal: this.#abort.signal,
    })
    this.#site = new OwnSite({
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
      const routes = routeTable(this.#reconciler.agents, this.#options.domain)
      // A Caddy that serves an earlier root is of no use to anybody who trusts the new one.
      if (this.authorityCreated) await this.#caddy.end()
      if (!(await this.#caddy.adopt())) await this.#caddy.start(this.#options.port, routes)
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
      await this.#files?.close()
      await this.#site.close()
      await this.#socket?.close()
      await this.#caddy.stop()
      throw error
    }
  }

  /** Stops Caddy, or leaves it serving for the next supervisor to adopt, and lets go of everything. */
  stop({ leaveCaddy } = { leaveCaddy: false }): Promise<void> {
    this.#stopping ??= this.#stop(leaveCaddy)
    return this.#stopping
  }

  async #stop(leaveCaddy: boolean): Promise<void> {
    this.#abort.abort()
    this.#lifetime.end()
    if (leaveCaddy) this.#caddy.leave()
    else await this.#caddy.stop()
    await this.#files?.close()
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
    this.#lifetime.setAgents(agents.filter(needsProxy).length)
    await this.#caddy.setRoutes(routeTable(agents, this.#options.domain))
    await this.#directories.sweep(agents)
    this.#changed()
  }

  /** The engine; once found, that one and no other: on another one all agents would seem to be gone. */
  async #connect(): Promise<Engine> {
    const { env, paths } = this.#options
    const found = this.#engineSocket !== undefined && { DOCKER_HOST: this.#engineSocket, MOAT_RUNTIME: '' }
    const engine = await connectEngine({ env: { ...env, ...found }, moatHome: paths.home })
    this.#engineAddress = engine.address
    // A TCP engine came from a setting that still stands, with certificates an address alone would lose.
    if (engine.address.startsWith('unix://')) this.#engineSocket = engine.address
    return engine
  }

  #changed(): void {
    for (const follow of this.#followers) follow()
  }

  #handlers(): ControlHandlers {
    return {
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
      issueKey: () => this.#site.issueKey(),
      keep: () => this.#lifetime.keep(),
      record: (question, onRequest) => this.#site.record(this.#recorded(question), onRequest),
      rotate: () => {
        // One after the other, whatever became of the one before.
        const rotation = this.#rotation.catch(() => {}).then(() => this.#rotate())
        this.#rotation = rotation
        return rotation
      },
      status: () => this.#status(),
      stop: (how) => this.stop(how),
      stopping: () => this.#stopping !== undefined,
      sync: () => this.#reconciler.reconcile(),
      watch: (onView) => this.#site.watch(onView),
    }
  }

  #recorded({ endpoint, runId }: RecordingQuestion) {
    const agents = this.#reconciler.agents.filter((agent) => agent.runId === runId)
    return agents.map((agent) => ({ agent, ...(endpoint !== undefined && { endpoint }) }))
  }

  async #rotate(): Promise<Rotation> {
    const { domain, paths } = this.#options
    const hosts = await storedHosts(paths.caddyStorage)
    const rotation = await rotateAuthority(paths, domain)
    this.#options.log(`the root certificate is now ${rotation.fingerprint}`)
    await this.#caddy.reissue(hosts)
    return rotation
  }

  #status(): SupervisorStatus {
    const notServed = [this.#court.describe(), this.#caddy.check.describe(this.#caddy.routes)].filter(Boolean).join(' ')
    const problem = this.#caddyProblem ?? this.#reconciler.problem ?? (notServed || undefined)
    return {
      agents: this.#reconciler.agents.filter(needsProxy),
      ca: this.#options.paths.caCertificate,
      caddy: { pid: this.#caddy.pid, version: this.#binary.version },
      ...(this.#engineAddress !== undefined && { engine: this.#engineAddress }),
      ...this.#caddy.address,
      kept: this.#lifetime.kept,
      ...(problem !== undefined && { problem }),
      supervisor: { pid: process.pid, version: this.#options.version },
    }
  }
}
