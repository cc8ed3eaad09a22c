// Owns the end of the proxy, asked for by a command: every process of it is gone when it is done.
import { homeProblem } from '../config/home-problem.js'
import type { MoatPaths } from '../config/paths.js'
import { Doorkeeper } from '../doors/doorkeeper.js'
import { endGate } from '../gate/gate-keeper.js'
import { type FileLock, tryFileLock } from '../processes/file-lock.js'
import { needsProxy } from '../routing/agent.js'
import { fileMark } from '../upkeep/file-mark.js'
import { ownCaddys, ownSupervisor } from '../upkeep/own-processes.js'
import { clearCaddys } from '../upkeep/running-caddy.js'
import { forgetServedPort } from '../upkeep/served-port.js'
import { silentSupervisor } from '../upkeep/silent-supervisor.js'
import { readStatus, requestStop } from './control-client.js'
import { type ProxyOptions, stopDeadline } from './proxy.js'

/** How often a supervisor that keeps its lock is asked again. Milliseconds. */
const lockPatience = 100

/** The names of the agents that the proxy serves now. */
export async function servedAgents({ paths }: ProxyOptions): Promise<string[]> {
  const status = await readStatus(paths.controlSocket).catch(() => undefined)
  return (status?.agents ?? []).filter(needsProxy).map(({ name }) => name)
}

/** Stops the proxy and waits until its processes are gone. False when none ran. */
export async function stopProxy({ paths }: ProxyOptions): Promise<boolean> {
  // One that is on its way out already answers when it has let go of everything; it gives no status any more.
  const asked = await requestStop(paths.controlSocket)
  if (asked === undefined && fileMark(paths.supervisorLock) === undefined && (await ownCaddys(paths)).length === 0)
    return false
  const lock = await lockSupervisor(paths)
  try {
    // Nobody supervises what runs now.
    const left = await ownCaddys(paths)
    await clearCaddys(paths, () => {})
    await new Doorkeeper({ log: () => {}, paths }).stop()
    await endGate(paths)
    // Where nothing can be written, nothing can be started either.
    await forgetServedPort(paths).catch(() => {})
    return asked !== undefined || lock.stopped || left.length > 0
  } finally {
    await lock.release()
  }
}

/** The lock that a supervisor holds to its very end; one that answers only now, having lost its socket, is stopped. */
async function lockSupervisor(paths: MoatPaths): Promise<FileLock & { stopped: boolean }> {
  const end = performance.now() + stopDeadline
  let stopped = false
  while (performance.now() < end) {
    const lock = await tryFileLock(paths.supervisorLock, lockPatience).catch((error) => withoutLock(paths, error))
    if (lock) return { ...lock, stopped }
    if ((await requestStop(paths.controlSocket)) !== undefined) stopped = true
  }
  throw await silentSupervisor(paths)
}

/** Where a lock cannot be taken because nothing can be written, it has to do that no supervisor runs. */
async function withoutLock(paths: MoatPaths, error: unknown): Promise<FileLock | undefined> {
  if (!homeProblem(error, paths.home)) throw error
  return (await ownSupervisor(paths)) ? undefined : { release: async () => {} }
}
