// Owns noticing that a detached agent ended right after its start: its command is wrong, and nobody would see it.
import type { Engine } from '../engine/engine.js'
import { usesProxy } from '../routing/agent.js'
import { describeEnd } from '../routing/agent-end.js'
import { removeServicesOf } from '../services/remove-services.js'
import { syncRoutes } from '../supervisor/control-client.js'
import type { ProxyOptions } from '../supervisor/proxy.js'
import type { StartedAgent } from './start-agent.js'
import { streamOutput } from './stream-output.js'
import type { TellGone } from './tell-gone.js'

/** Lines of its log that are shown then. */
const lastLines = 20

export interface EndedAtOnceOptions {
  engine: Engine
  /** Called with what the agent wrote, if it ended at once. */
  hear: (piece: string) => void
  /** What more there is to say of an end without an error. */
  hint?: string
  /** Leave the container. */
  keep: boolean
  note: (line: string) => void
  proxy: ProxyOptions
  /** The engine removes the container itself, and its log with it. */
  removeAtEnd: boolean
  stderr: NodeJS.WritableStream
  tellGone: TellGone
}

/**
 * The exit code of an agent that ends while its start is watched, once its last words have been shown and, unless it is to
 * be kept, its container and routes are gone; undefined for one that goes on.
 */
export async function endedAtOnce(
  { agent, containerId, exitCode, watched }: StartedAgent,
  { engine, hear, hint, keep, note, proxy, removeAtEnd, stderr, tellGone }: EndedAtOnceOptions,
): Promise<number | undefined> {
  const code = await Promise.race([exitCode, watched])
  if (code === undefined) return undefined
  if (!removeAtEnd) {
    const log = await engine.sessions.logs(containerId, { follow: false, tail: lastLines })
    await streamOutput(log, { hear, stderr, stdout: stderr })
  }
  const end = (await engine.ends.of(containerId)) ?? { exitCode: code }
  note(`${agent.name} ended at once, with ${describeEnd(end)}.${code === 0 && hint !== undefined ? ` ${hint}` : ''}`)
  if (!keep) await engine.remove(containerId)
  if (agent.services) await removeServicesOf(engine, [agent.runId])
  if (usesProxy(agent)) await syncRoutes(proxy.paths.controlSocket)
  if (!keep) await tellGone(agent)
  return code
}
