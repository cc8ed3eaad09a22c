// Owns one running Caddy from outside: taking over one that outlived its supervisor, ending it, and clearing away others.
import type { CaddyAdmin } from '../caddy/admin.js'
import type { NamesSettings } from '../caddy/caddy-settings.js'
import { type CaddyConfig, listenersOf, namesOf, portOf } from '../caddy/to-caddy-config.js'
import type { MoatPaths } from '../config/paths.js'
import { listeningPorts } from '../processes/open-files.js'
import type { ProcessFacts, ProcessIdentity } from '../processes/process-facts.js'
import { hasEnded, signalProcess } from '../processes/same-process.js'
import { endProcess, ownCaddys } from './own-processes.js'
import { formerPort } from './served-port.js'

/** How long a Caddy that was asked to stop may let its streams end; its own grace period is half of it. Milliseconds. */
const stopDeadline = 4_000

export interface FoundCaddy {
  config: CaddyConfig
  listeners: string[]
  names: NamesSettings
  port: number
  identity: ProcessFacts
}

/** The Caddy that serves for these paths. Undefined when there is none that is moat's, answers, and has its port. */
export async function findRunningCaddy(
  admin: CaddyAdmin,
  paths: Pick<MoatPaths, 'caddyPid'>,
): Promise<FoundCaddy | undefined> {
  const [newest] = await ownCaddys(paths)
  if (!newest || !(await admin.answers())) return undefined
  const config = await admin.readConfig().catch(() => undefined)
  const port = config && portOf(config)
  const names = config && namesOf(config)
  // One of an earlier moat's lacks a socket that it cannot be given any more: it makes room for another.
  if (!config || port === undefined || !names) return undefined
  // What answers says which port it has; the system says whether that is so.
  const ports = listeningPorts(newest.pid)
  if (ports && !ports.includes(port)) return undefined
  return { config, identity: newest, listeners: listenersOf(config), names, port }
}

/** Resolves when the process has ended and the port is free. */
export async function endCaddy(admin: CaddyAdmin, one: ProcessIdentity, log: (message: string) => void): Promise<void> {
  await admin.stop().catch(() => signalProcess(one, 'SIGTERM'))
  if (await hasEnded(one, stopDeadline)) return
  log(`Caddy (pid ${one.pid}) did not stop in time and is killed`)
  await signalProcess(one, 'SIGKILL')
  await hasEnded(one, stopDeadline)
}

/**
 * Ends every Caddy of these paths: for a supervisor, which can reach none of them and is about to start its own. Resolves
 * with the port that one of them served, in URLs that are known already.
 */
export async function clearCaddys(
  paths: Pick<MoatPaths, 'caddyPid' | 'servedPort'>,
  log: (message: string) => void,
): Promise<number | undefined> {
  let port: number | undefined
  const noted = await formerPort(paths)
  for (const one of await ownCaddys(paths)) {
    const ports = listeningPorts(one.pid) ?? []
    port ??= servedPort(ports, noted)
    log(`a Caddy (pid ${one.pid}) that cannot be reached is ended; its open streams end with it`)
    await endProcess(one)
  }
  return port
}

/**
 * The one that was noted, if it is among them. Else, of the two well-known ones, the one of https; else the lowest: the one for
 * questions about names was chosen by the system, which chooses high ones.
 */
export function servedPort(ports: readonly number[], noted: number | undefined): number | undefined {
  if (noted !== undefined && ports.includes(noted)) return noted
  const wellKnown = ports.filter((port) => port < 1_024)
  const candidates = wellKnown.length > 0 ? [Math.max(...wellKnown)] : ports
  return candidates.length > 0 ? Math.min(...candidates) : undefined
}
