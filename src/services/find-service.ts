// Owns which container a person means who names a service of an agent.
import type { Engine } from '../engine/engine.js'
import { exitCodes, MoatError } from '../errors.js'
import type { Agent } from '../routing/agent.js'
import { nearestName } from '../routing/nearest-name.js'

/** The agent's own where no service is named. Rejects with SERVICE_NOT_FOUND. */
export async function findService(
  engine: Pick<Engine, 'services'>,
  { containerId, name: agent, runId, services = [] }: Pick<Agent, 'containerId' | 'name' | 'runId' | 'services'>,
  service: string | undefined,
): Promise<string> {
  if (service === undefined) return containerId
  const names = services.map(({ name }) => name)
  if (!names.includes(service)) {
    const nearest = nearestName(service, names)
    const has = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
    const hint = nearest === undefined ? `; ${has}.` : `; did you mean ${nearest}?`
    throw new MoatError('SERVICE_NOT_FOUND', `${agent} has no service ${service}${hint}`, {
      exit: exitCodes.usage,
      suggestions: ['moat list --json'],
    })
  }
  const found = (await engine.services.list()).find((one) => one.runId === runId && one.name === service)
  if (found) return found.containerId
  throw new MoatError(
    'SERVICE_NOT_FOUND',
    `The service ${service} of ${agent} is gone, as services are with their agent.`,
    {
      suggestions: [`moat logs ${agent}`],
    },
  )
}
