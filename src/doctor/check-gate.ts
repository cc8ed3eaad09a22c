// Owns the check of the way out: whether a network policy can be enforced here, and whether it is for agents that have one.
import { request } from 'node:http'
import { agentGateSocket } from '../config/paths.js'
import { isLive } from '../routing/agent.js'
import { type DoctorContext, type Finding, fail, ok, warn } from './diagnosis.js'

/** How long the gate may take to answer. Milliseconds. */
const patience = 3_000

export async function checkGate({ connectEngine, paths }: DoctorContext): Promise<Finding[]> {
  // Without an engine nothing can be known of it, and the check of the engine says so already.
  const engine = await connectEngine().catch(() => undefined)
  if (!engine) return []
  if (!(await engine.sharesSockets())) {
    const message = 'This engine cannot enforce a network policy: its containers reach no sockets of this machine.'
    return [warn('network', `${message} Agents with "network" in moat.yaml do not start.`, ['docker context ls'])]
  }
  const { agents } = await engine.listAgents()
  const gated = agents.filter((agent) => agent.network !== undefined && isLive(agent))
  if (gated.length === 0) return [ok('network', 'A network policy can be enforced; no running agent has one.')]
  const answers = await Promise.all(gated.map(({ runId }) => answersAt(agentGateSocket(paths, runId))))
  const silent = gated.filter((_, index) => !answers[index]).map(({ name }) => name)
  const count = gated.length === 1 ? '1 agent has' : `${gated.length} agents have`
  if (silent.length === 0) return [ok('network', `${count} a network policy, and the gate answers them.`)]
  const message = `The gate does not answer ${silent.join(', ')}: what the policy allows is not reached.`
  return [fail('network', message, ['moat proxy start', `tail ${paths.gateLog}`])]
}

/** A question that no proxy takes for one is answered as such, and not written down. */
function answersAt(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ agent: false, path: '/', socketPath, timeout: patience }, (response) => {
      response.resume()
      resolve(response.statusCode === 400)
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(false))
    asked.end()
  })
}
