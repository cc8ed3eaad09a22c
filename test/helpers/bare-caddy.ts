// Caddy without a supervisor, on any free port, for tests of what it serves by itself.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { ensureAuthority } from '../../src/authority/root.js'
import { CaddyAdmin } from '../../src/caddy/admin.js'
import type { CaddySettings } from '../../src/caddy/caddy-settings.js'
import type { EgressSettings } from '../../src/caddy/egress-settings.js'
import { findCaddy } from '../../src/caddy/find-caddy.js'
import { type SpawnedCaddy, spawnCaddy } from '../../src/caddy/spawn-caddy.js'
import { toCaddyConfig } from '../../src/caddy/to-caddy-config.js'
import type { MoatPaths } from '../../src/config/paths.js'
import { Names } from '../../src/doors/names.js'
import { certificateHosts } from '../../src/routing/certificate-hosts.js'
import { hostsOf } from '../../src/routing/hosts-of-table.js'
import { emptyTable, type Upstream } from '../../src/routing/route-table.js'
import { linkDirectories } from '../../src/routing/way-in.js'
import { bindPorts } from '../../src/supervisor/bind-ports.js'

export interface BareCaddy {
  admin: CaddyAdmin
  /** Ends it at once. */
  kill(): Promise<void>
  pid: number
  port: number
  settings: CaddySettings
}

export async function startBareCaddy(
  paths: MoatPaths,
  upstreams: Upstream[],
  egress?: EgressSettings,
  env: NodeJS.ProcessEnv = {},
): Promise<BareCaddy> {
  await ensureAuthority(paths, 'localhost')
  const binary = await findCaddy({ env: process.env, paths })
  const bound = await bindPorts(0)
  const inherited = bound.descriptors.map((_, index) => `fd/${3 + index}`)
  try {
    const settings = {
      accessSocket: paths.accessSocket,
      adminSocket: paths.adminSocket,
      caCertificate: paths.caCertificate,
      caKey: paths.caKey,
      connections: 0,
      domain: 'localhost',
      ...(egress && { egress }),
      filesSocket: paths.filesSocket,
      inside: paths.inside,
      listeners: inherited.slice(0, -1),
      names: { listener: inherited.at(-1) ?? '', port: bound.namesPort, secret: '0123456789abcdef' },
      pagesSocket: paths.pagesSocket,
      port: bound.port,
      proxy: paths.proxy,
      recorded: [],
      storage: paths.caddyStorage,
    }
    const table = { ...emptyTable, upstreams }
    // Caddy makes certificates for names that it finds there.
    const names = new Names(join(paths.proxy, linkDirectories.names))
    for (const name of certificateHosts(hostsOf(table), 'localhost')) names.want(name)
    names.make()
    const caddy: SpawnedCaddy = await spawnCaddy({
      binary: binary.path,
      config: toCaddyConfig(settings, table),
      env: { ...process.env, ...env },
      listeningFds: bound.descriptors,
      onInherited: bound.close,
      paths,
    })
    const kill = async () => {
      process.kill(caddy.identity.pid, 'SIGKILL')
      await caddy.exited
    }
    return { admin: new CaddyAdmin(paths.adminSocket), kill, pid: caddy.identity.pid, port: bound.port, settings }
  } finally {
    bound.close()
  }
}

export interface Handshake {
  /** `accepted`, or the code of what Node finds wrong. */
  verdict: string
}

/** Shakes hands as Node does that trusts the given root only. */
export function shakeHands(host: string, port: number, caFile: string): Promise<Handshake> {
  return new Promise((resolve) => {
    const options = { ca: readFileSync(caFile), host: '127.0.0.1', port, servername: host }
    const socket = connect({ ...options, rejectUnauthorized: false })
    socket.once('secureConnect', () => {
      socket.destroy()
      resolve({ verdict: String(socket.authorizationError ?? 'accepted') })
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve({ verdict: error.code ?? error.message }))
  })
}
