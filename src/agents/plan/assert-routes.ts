// Owns asking Caddy about the routes of plugins before there is a container: routes it refuses would leave an agent without its URLs.
import type { MoatPaths } from '../../config/paths.js'
import { checkRoutes } from '../../supervisor/control-client.js'
import type { AgentPlan } from './plan-agent.js'

export async function assertRoutes(
  { endpoints, routes }: Pick<AgentPlan, 'endpoints' | 'routes'>,
  { controlSocket }: Pick<MoatPaths, 'controlSocket'>,
): Promise<void> {
  const questions = routes.flatMap((fragment) => {
    const plugin = endpoints.find(({ name }) => name === fragment.endpoint)?.plugin ?? ''
    return fragment.routes ? [{ endpoint: fragment.endpoint, plugin, routes: fragment.routes }] : []
  })
  if (questions.length > 0) await checkRoutes(controlSocket, questions)
}
