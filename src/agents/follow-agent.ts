// Owns an attached run: the agent's output, Ctrl+C, the proxy's supervisor, and what is left at the end: nothing.
import type { Engine } from '../engine/engine.js'
import { type AgentEnd, describeEnd } from '../routing/agent-end.js'
import { removeServicesOf } from '../services/remove-services.js'
import { syncRoutes } from '../supervisor/control-client.js'
import { type EnsureProxyOptions, ensureProxy } from '../supervisor/ensure-proxy.js'
import type { StartedAgent } from './start-agent.js'
import { stopGrace } from './stop-agent.js'
import { streamOutput } from './stream-output.js'
import type { TellGone } from './tell-gone.js'

/** So often a supervisor that was killed is replaced by one that does not come to serve. */
const mostAttempts = 3

export interface FollowOptions {
  /** Joins the person's terminal to an interactive agent; the returned function gives it back. */
  connect: () => () => void
  engine: Engine
  /** Called with what the agent writes. */
  hear: (piece: string) => void
  /** Leave the container. */
  keep: boolean
  /** Calls back at each request to stop: the first stops the agent, the second kills it. */
  onInterrupt(listener: () => void): void
  note: (line: string) => void
  proxy: Omit<EnsureProxyOptions, 'keep'>
  stderr: NodeJS.WritableStream
  stdout: NodeJS.WritableStream
  tellGone: TellGone
}

/** Streams the agent's output until it ends; resolves with its exit code, once its container and routes are gone. */
export async function followAgent(started: StartedAgent, options: FollowOptions): Promise<number> {
  const { engine, hear, note, proxy, stderr, stdout } = options
  const { agent, containerId, output } = started
  const streamed = output && streamOutput(output, { hear, stderr, stdout })
  let interrupts = 0
  const interrupt = () => {
    interrupts += 1
    note(interrupts === 1 ? `Stopping ${agent.name}; press Ctrl+C again to kill it.` : `Killing ${agent.name}.`)
    const end = interrupts === 1 ? engine.stop(containerId, stopGrace) : engine.kill(containerId)
    end.catch((error) => note(error.message))
  }
  options.onInterrupt(interrupt)
  // A reader that goes away (`moat run … | head -1`) ends the agent, as it would end a program; the rest is not read.
  stdout.once('error', () => {
    output?.stdout.resume()
    interrupt()
  })
  const guard = started.hold && keepSupervised(started.hold, options)
  const restore = options.connect()
  try {
    const exitCode = await started.exitCode
    await streamed
    const end: Omit<AgentEnd, 'at'> = (await engine.ends.of(containerId)) ?? { exitCode }
    // Who stopped it knows why it ended.
    if (interrupts === 0 && (exitCode !== 0 || end.outOfMemory !== undefined))
      note(`${agent.name} ended: ${describeEnd(end)}.`)
    return exitCode
  } finally {
    restore()
    if (!options.keep) await engine.remove(containerId)
    if (agent.services) await removeServicesOf(engine, [agent.runId])
    if (started.hold) await syncRoutes(proxy.paths.controlSocket)
    guard?.release()
    if (!options.keep) await options.tellGone(agent)
  }
}

/** While the agent runs, a supervisor that was killed gets a successor, which adopts its Caddy. */
function keepSupervised(hold: NonNullable<StartedAgent['hold']>, options: FollowOptions): { release(): void } {
  let current = hold
  const guard = async () => {
    while ((await current.ended) === 'lost') current = await succeed(options)
  }
  guard().catch((error) => options.note(`The proxy is gone and could not be started again: ${error.message}`))
  return { release: () => current.release() }
}

/** Another supervisor. Whatever killed the last one may kill this one while it starts: that is no reason to go on without. */
async function succeed({ proxy }: FollowOptions): Promise<NonNullable<StartedAgent['hold']>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await ensureProxy({ ...proxy, anyAddress: true, keep: false })).hold
    } catch (error) {
      if (attempt === mostAttempts) throw error
    }
  }
}
