// Owns an attached `moat proxy start`: what changes is told line by line, and Ctrl+C stops the proxy.
import { MoatError } from '../errors.js'
import type { Agent } from '../routing/agent.js'
import { endpointUrl, type ProxyAddress } from '../routing/urls.js'
import type { ProxyHold } from '../supervisor/control-client.js'
import { addressOf } from '../supervisor/protocol.js'
import type { Interrupts } from './interrupts.js'

export interface FollowProxyOptions {
  interrupts: Interrupts
  log: (line: string) => void
  note: (line: string) => void
  stop: () => Promise<unknown>
}

/** Resolves when the proxy has stopped, by Ctrl+C or from elsewhere. Rejects when its supervisor was lost. */
export async function followProxy(hold: ProxyHold, { interrupts, log, note, stop }: FollowProxyOptions): Promise<void> {
  note('\nCtrl+C stops the proxy.')
  let known = new Map(hold.status.agents.map((agent) => [agent.runId, agent]))
  let problem = hold.status.problem
  hold.onStatus((status) => {
    const now = new Map(status.agents.map((agent) => [agent.runId, agent]))
    for (const [runId, agent] of now) if (!known.has(runId)) describe(agent, addressOf(status)).forEach(log)
    for (const [runId, agent] of known) if (!now.has(runId)) log(`- ${agent.name}`)
    known = now
    if (status.problem !== undefined && status.problem !== problem) log(`! ${status.problem}`)
    problem = status.problem
  })
  const stopped = Promise.withResolvers<void>()
  let stopping: Promise<unknown> | undefined
  interrupts.onInterrupt(() => {
    note('Stopping the proxy.')
    stopping = stop()
    stopping.catch(stopped.reject)
  })
  const end = await Promise.race([hold.ended, stopped.promise])
  if (end === 'lost') {
    throw new MoatError('SUPERVISOR_FAILED', "The proxy's supervisor ended unexpectedly.", {
      suggestions: ['moat proxy status', 'moat proxy start'],
    })
  }
  // Its last words come before the end of its process.
  await stopping
  note('Routing proxy stopped.')
}

function describe(agent: Agent, address: ProxyAddress): string[] {
  return agent.endpoints.map(({ name }) => `+ ${agent.name}   ${endpointUrl(agent.name, name, address)}`)
}
