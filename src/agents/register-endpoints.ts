// Owns turning the declared endpoints of moat.yaml into routes, by asking their endpoint types.
import type { LoadedMoatYaml } from '../config/moat-yaml.js'
import type { EndpointTypes } from '../endpoints/collect-endpoint-types.js'
import { exitCodes, MoatError } from '../errors.js'
import type { Endpoint, RouteFragment } from '../routing/agent.js'
import { nearestName } from '../routing/nearest-name.js'

export interface RegisteredEndpoints {
  endpoints: Endpoint[]
  /** Container ports to publish on loopback. */
  ports: number[]
  routes: RouteFragment[]
}

/** Registers each endpoint with its type. Rejects with the place in moat.yaml when a type or an option is wrong. */
export function registerEndpoints(
  { config, locate }: LoadedMoatYaml,
  types: EndpointTypes,
  agent: { name: string; workspace: string },
): RegisteredEndpoints {
  const registered: RegisteredEndpoints = { endpoints: [], ports: [], routes: [] }
  for (const { name, options, type: typeName } of config.ports) {
    const type = types.get(typeName)
    if (!type) throw invalid(locate(['ports', name, 'type']), unknownType(typeName, types))
    const parsed = type.options.safeParse(options)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      const path = issue?.path ?? []
      const option = path.length > 0 ? `"${path.join('.')}" of ` : ''
      throw invalid(
        locate(['ports', name, ...path]),
        `${option}endpoint "${name}" (type ${typeName}): ${issue?.message}`,
      )
    }
    const { port, routes } = type.register({ agent, name, options: parsed.data })
    registered.endpoints.push({ name, type: typeName, ...(port !== undefined && { port }) })
    registered.routes.push(...routes.map((route) => ({ ...route, endpoint: name })))
    if (port !== undefined && !registered.ports.includes(port)) registered.ports.push(port)
  }
  return registered
}

function invalid(place: string, message: string): MoatError {
  return new MoatError('ENDPOINT_TYPE', `${place}: ${message}`, { exit: exitCodes.usage })
}

function unknownType(type: string, types: EndpointTypes): string {
  const names = [...types.keys()].toSorted()
  const nearest = nearestName(type, names)
  const hint = nearest ? `; did you mean "${nearest}"?` : '.'
  return `unknown endpoint type "${type}"${hint} Installed: ${names.join(', ')}`
}
