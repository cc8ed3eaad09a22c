// Owns the process of one Caddy: starting it with sockets bound here, taking over one that outlived its supervisor, reaching
// it, and noticing its end. What it serves is in managed-caddy.ts.
import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import type { CaddyAdmin } from '../caddy/admin.js'
import type { NamesSettings } from '../caddy/caddy-settings.js'
import type { CaddyBinary } from '../caddy/find-caddy.js'
import { spawnCaddy } from '../caddy/spawn-caddy.js'
import { type CaddyConfig, plainOf } from '../caddy/to-caddy-config.js'
import { clearPath } from '../config/clear-path.js'
import { interceptSocket, type MoatPaths } from '../config/paths.js'
import type { ProcessIdentity } from '../processes/process-facts.js'
import { listenPorts } from '../routing/urls.js'
import { KeptSocket } from '../upkeep/kept-socket.js'
import { endProcess } from '../upkeep/own-processes.js'
import { clearCaddys, endCaddy, type FoundCaddy, findRunningCaddy } from '../upkeep/running-caddy.js'
import { watchCaddy } from '../upkeep/watch-caddy.js'
import { watchFront } from '../upkeep/watch-front.js'
import { bindPorts } from './bind-ports.js'

/** The first inherited descriptor in a child with stdin, stdout and stderr. */
const firstInheritedDescriptor = 3

/** The config for sockets that were bound, and the port that they are on. */
type ConfigOf = (listeners: string[], port: number, names: NamesSettings) => CaddyConfig

export interface CaddyHandleOptions {
  admin: CaddyAdmin
  binary: CaddyBinary
  log: (message: string) => void
  /** Called when it takes no connections any more, and again as long as it does not. */
  onDeaf: () => void
  /** Called when it ended by itself, with the milliseconds it lived if that is known. */
  onEnd: (reason: string, livedFor: number | undefined) => void
  paths: MoatPaths
}

export class CaddyHandle {
  readonly #options: CaddyHandleOptions
  readonly #adminSocket: KeptSocket
  readonly #inside: KeptSocket[]
  readonly #plain: KeptSocket
  #identity: ProcessIdentity | undefined
  #hasPlain = false
  #unwatch: (() => void) | undefined
  #unwatchFront: (() => void) | undefined

  constructor(options: CaddyHandleOptions) {
    this.#options = options
    const { adminSocket, inside, plainSocket } = options.paths
    this.#adminSocket = new KeptSocket(adminSocket)
    this.#inside = [new KeptSocket(inside.tls), new KeptSocket(inside.plain)]
    this.#plain = new KeptSocket(plainSocket)
  }

  get pid(): number | undefined {
    return this.#identity?.pid
  }

  /** All that Caddy makes by a path. */
  get #sockets(): KeptSocket[] {
    return [this.#adminSocket, ...this.#inside, ...(this.#hasPlain ? [this.#plain] : [])]
  }

  /** False when something else, or nothing, is where one of its sockets was. */
  get isInPlace(): boolean {
    return this.#sockets.every(({ isInPlace }) => isInPlace)
  }

  /** Takes over a Caddy that outlived its supervisor; undefined when there is none that can be told anything. */
  async adopt(): Promise<FoundCaddy | undefined> {
    const { admin, log, onEnd, paths } = this.#options
    let found = await findRunningCaddy(admin, paths)
    if (!found && (await this.#adminSocket.restore())) found = await findRunningCaddy(admin, paths)
    if (!found) return undefined
    this.#identity = found.identity
    this.#hasPlain = plainOf(found.config) !== undefined
    this.#unwatch = watchCaddy(paths.adminSocket, found.identity, () => {
      this.#identity = undefined
      onEnd('the adopted Caddy ended', undefined)
    })
    for (const socket of this.#sockets) await socket.find()
    this.#watchFront(found.port)
    log(`adopted Caddy (pid ${found.identity.pid}) on port ${found.port}`)
    return found
  }

  /** Ends what is left of others for these paths; resolves with a port one of them served. */
  clear(): Promise<number | undefined> {
    return clearCaddys(this.#options.paths, this.#options.log)
  }

  /** Binds the port and starts Caddy with the config for what was bound. */
  async launch(port: number, configOf: ConfigOf): Promise<CaddyConfig> {
    const { binary, log, paths } = this.#options
    const bound = await bindPorts(port)
    try {
      const inherited = bound.descriptors.map((_, index) => `fd/${firstInheritedDescriptor + index}`)
      const secret = randomBytes(16).toString('hex')
      const names = { listener: inherited.at(-1) ?? '', port: bound.namesPort, secret }
      const config = configOf(inherited.slice(0, -1), bound.port, names)
      this.#hasPlain = plainOf(config) !== undefined
      for (const socket of [...this.#sockets, this.#plain]) await socket.clear()
      await clearOpened(paths)
      const { exited, identity } = await spawnCaddy({
        binary: binary.path,
        config,
        env: process.env,
        listeningFds: bound.descriptors,
        onInherited: bound.close,
        paths,
      })
      for (const socket of this.#sockets) await socket.remember()
      this.#identity = identity
      this.#watchFront(bound.port)
      const startedAt = performance.now()
      log(`Caddy ${binary.version} (pid ${identity.pid}) serves port ${bound.port}`)
      void exited.then((status) => {
        if (this.#identity !== identity) return
        this.#identity = undefined
        this.#options.onEnd(`Caddy ended (${status.signal ?? status.code})`, performance.now() - startedAt)
      })
      return config
    } finally {
      bound.close()
    }
  }

  /** True when it can be told something and containers reach it, if only because its sockets were put back. */
  async reach(): Promise<boolean> {
    const { admin, log } = this.#options
    const lost = this.#sockets.filter(({ isInPlace }) => !isInPlace)
    for (const socket of lost) if (!(await socket.restore())) return false
    if (!(await admin.answers())) return false
    if (lost.length > 0) log('put back what was removed of Caddy’s sockets')
    return true
  }

  /** Ends one that cannot be told anything any more. Its listeners are free at once; streams that were open end. */
  async drop(): Promise<void> {
    const identity = this.leave()
    if (!identity) return
    this.#options.log(`Caddy (pid ${identity.pid}) cannot be reached any more and is replaced; its open streams end`)
    await endProcess(identity)
  }

  /** Ends it; resolves when its process has ended and the port is free. */
  async stop(): Promise<void> {
    const identity = this.leave()
    if (!identity) return
    await endCaddy(this.#options.admin, identity, this.#options.log)
    // What cannot be removed now is removed by the next start.
    for (const socket of this.#sockets) await socket.clear().catch(() => {})
  }

  /** Whatever becomes of it from now on is of no interest. */
  leave(): ProcessIdentity | undefined {
    const identity = this.#identity
    this.#unwatch?.()
    this.#unwatchFront?.()
    this.#identity = undefined
    return identity
  }

  #watchFront(port: number): void {
    this.#unwatchFront?.()
    const ports = () => (this.#hasPlain && this.#identity ? listenPorts(port) : [])
    const { admin, onDeaf } = this.#options
    // One that says nothing there either is kept from running, and takes all that waits when it runs again.
    const ask = async () => {
      if (await admin.answers()) onDeaf()
    }
    this.#unwatchFront = watchFront({ onDeaf: () => void ask(), ports })
  }
}

/** A Caddy that was killed leaves its sockets, and a new one does not listen where something is. */
async function clearOpened({ egress, proxy }: Pick<MoatPaths, 'egress' | 'proxy'>): Promise<void> {
  for (const name of await readdir(egress).catch(() => [])) {
    const [, runId] = /^(run_[0-9a-f]{12})\.sock$/.exec(name) ?? []
    if (runId !== undefined) await clearPath(interceptSocket({ proxy }, runId))
  }
}
