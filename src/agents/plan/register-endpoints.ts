// Owns turning the declared endpoints of moat.yaml into routes and ports, by asking the plugins their types come from.
import type { LoadedMoatYaml } from '../../config/moat-yaml.js'
import { throwAll } from '../../config/problems.js'
import { visible } from '../../config/visible.js'
import { type EndpointTypes, gatherEndpointTypes } from '../../endpoints/collect-endpoint-types.js'
import type { DeclaredEndpoint, EndpointRegistration } from '../../endpoints/contract.js'
import { literal } from '../../endpoints/literal.js'
import { type EndpointPlugins, PluginsFailed } from '../../endpoints/plugin-hooks.js'
import { checkRegistrations } from '../../endpoints/registration.js'
import { exitCodes, MoatError } from '../../errors.js'
import type { Endpoint, RouteFragment } from '../../routing/agent.js'
import { nearestName } from '../../routing/nearest-name.js'
import { endpointHost } from '../../routing/urls.js'
import { type ChosenPort, choosePorts } from './choose-ports.js'
import { limitErrors } from './endpoint-limits.js'

export interface RegisteredEndpoints {
  /** Variables that the types add. */
  endpointEnv: Record<string, string>
  endpoints: Endpoint[]
  /** Ports on 127.0.0.1 that endpoints ask for by number. */
  hostPorts: { endpoint: string; hostPort: number }[]
  /** Container ports to publish on loopback. */
  ports: ChosenPort[]
  routes: RouteFragment[]
}

interface OwnedRegistration extends EndpointRegistration {
  plugin: string
  type: string
}

/** Rejects with places in moat.yaml for wrong types and options, and with the plugin's name for what it did wrong. */
export async function registerEndpoints(
  loaded: LoadedMoatYaml,
  plugins: EndpointPlugins,
  agent: { name: string; workspace: string },
  domain: string,
  isFree?: (port: number) => Promise<boolean>,
): Promise<RegisteredEndpoints> {
  if (loaded.config.ports.length === 0) return { endpointEnv: {}, endpoints: [], hostPorts: [], ports: [], routes: [] }
  // What is wrong with one endpoint or one plugin does not keep others from being looked at: all of it is one error.
  const { errors: failures, types } = await gatherEndpointTypes(plugins)
  const hostOf = (name: string) => endpointHost(agent.name, name, domain)
  const { declared, errors } = await checkOptions(loaded, { hostOf, isWhole: failures.length === 0, types })
  const asked = await askPlugins(loaded, plugins, types, agent, declared)
  const registrations = inOrder(declared, asked.registrations)
  throwAll([...errors, ...defaultErrors(loaded, registrations), ...failures, ...asked.errors])
  const ports = await choosePorts(agent.name, registrations, isFree)
  return {
    endpointEnv: Object.assign({}, ...registrations.map((one) => addressed(one, one.env ?? {}, ports))),
    endpoints: registrations.map((one) => toEndpoint(one, ports)),
    hostPorts: registrations.flatMap(askedHostPorts),
    ports,
    routes: registrations.flatMap(toFragment),
  }
}

interface OptionsContext {
  hostOf: (endpoint: string) => string
  /** False when a plugin could not say which types it has. */
  isWhole: boolean
  types: EndpointTypes
}

/** The endpoints with their options as their types gave them back, and what is wrong with others. */
async function checkOptions(
  { config, locate, reject }: LoadedMoatYaml,
  { hostOf, isWhole, types }: OptionsContext,
): Promise<{ declared: DeclaredEndpoint[]; errors: MoatError[] }> {
  const declared: DeclaredEndpoint[] = []
  const unknown: MoatError[] = []
  const issues: Parameters<LoadedMoatYaml['reject']>[0][number][] = []
  const knownKeys: Record<string, readonly string[]> = {}
  for (const { name, options, type: typeName } of config.ports) {
    const type = types.get(typeName)
    if (!type) {
      // It may be one of the plugin's that failed.
      if (isWhole || nearestName(typeName, [...types.keys()]) !== undefined)
        unknown.push(unknownType(locate(['ports', name, 'type']), typeName, types))
      continue
    }
    const schema = await type.loadOptions()
    const parsed = await schema.safeParseAsync(options)
    if (parsed.success) declared.push({ host: hostOf(name), name, options: parsed.data, type: typeName })
    else issues.push(...parsed.error.issues.map((issue) => ({ ...issue, path: ['ports', name, ...issue.path] })))
    knownKeys[`ports.${name}`] = ['type', ...Object.keys(schema.shape ?? {})]
  }
  return { declared, errors: [...unknown, ...(issues.length > 0 ? [reject(issues, knownKeys)] : [])] }
}

async function askPlugins(
  loaded: LoadedMoatYaml,
  plugins: EndpointPlugins,
  types: EndpointTypes,
  agent: { name: string; workspace: string },
  endpoints: DeclaredEndpoint[],
): Promise<{ errors: MoatError[]; registrations: OwnedRegistration[] }> {
  const ownerOf = ({ type }: DeclaredEndpoint) => types.get(type)?.plugin ?? ''
  const errors: MoatError[] = []
  const answers = await plugins
    .registerEndpoints({ agent: { ...agent }, endpoints, literal })
    .catch((error: unknown) => {
      if (!(error instanceof PluginsFailed)) throw error
      errors.push(error)
      return error.answers
    })
  const tooLarge = answers.flatMap(({ result }) => limitErrors(loaded, endpoints, result))
  // The plugin would only be blamed for what is too large.
  if (tooLarge.length > 0) return { errors: [...errors, ...tooLarge], registrations: [] }
  // One that failed has no answer, which is said already.
  const silent = errors.length > 0 ? [] : endpoints.map(ownerOf)
  const owners = new Set([...silent, ...answers.map(({ plugin }) => plugin)])
  const registrations = [...owners].flatMap((plugin): OwnedRegistration[] => {
    const expected = endpoints.filter((endpoint) => ownerOf(endpoint) === plugin)
    // A plugin may have several functions for one hook.
    const result = answers.filter((answer) => answer.plugin === plugin).map((answer) => answer.result)
    const whole = result.every((part) => part === undefined || Array.isArray(part))
      ? result.flatMap((part) => part ?? [])
      : result
    const names = expected.map(({ name }) => name)
    const typeOf = (endpoint: string) => expected.find(({ name }) => name === endpoint)?.type ?? ''
    try {
      return checkRegistrations(plugin, whole, names).map((one) => ({ ...one, plugin, type: typeOf(one.endpoint) }))
    } catch (error) {
      if (!(error instanceof MoatError)) throw error
      errors.push(error)
      return []
    }
  })
  return { errors, registrations }
}

function inOrder(declared: readonly DeclaredEndpoint[], registrations: OwnedRegistration[]): OwnedRegistration[] {
  const place = (name: string) => declared.findIndex((endpoint) => endpoint.name === name)
  return registrations.toSorted((a, b) => place(a.endpoint) - place(b.endpoint))
}

function defaultErrors({ locate }: LoadedMoatYaml, registrations: readonly OwnedRegistration[]): MoatError[] {
  const [first, ...others] = registrations.filter((registration) => registration.default)
  return others.map(({ endpoint }) => {
    const place = locate(['ports', endpoint, 'default'])
    const message = `${place}: only one endpoint can be the default, and "${first?.endpoint}" is.`
    return new MoatError('ENDPOINT_TYPE', message, { exit: exitCodes.usage })
  })
}

function toEndpoint(registration: OwnedRegistration, ports: readonly ChosenPort[]): Endpoint {
  const { columns, endpoint, links, plugin, readiness, type, upstream, url } = registration
  const [only, ...others] = registration.ports ?? []
  const port = registration.port ?? upstream?.port ?? (others.length === 0 ? only?.port : undefined)
  return {
    ...(columns && { columns }),
    ...(links && { links }),
    name: endpoint,
    plugin,
    ...(port !== undefined && { port }),
    ...(readiness && { readiness }),
    type,
    ...(url !== undefined && addressed(registration, { url }, ports)),
  }
}

function askedHostPorts({ endpoint, ports = [] }: OwnedRegistration): RegisteredEndpoints['hostPorts'] {
  return ports.flatMap(({ hostPort }) => (typeof hostPort === 'number' ? [{ endpoint, hostPort }] : []))
}

/** None for an endpoint that is not reached through the proxy. */
function toFragment(registration: OwnedRegistration): RouteFragment[] {
  const { default: isDefault, endpoint, files, named, routes, upstream } = registration
  if (!files && !named && !routes && !upstream) return []
  return [
    {
      ...(isDefault !== undefined && { default: isDefault }),
      endpoint,
      ...(files && { files }),
      ...(named && { named }),
      ...(routes && routes.length > 0 && { routes }),
      ...(upstream && { upstream: { ...upstream, protocol: upstream.protocol ?? 'http' } }),
    },
  ]
}

/** The values with the addresses of ports filled in. */
function addressed<T extends Record<string, string>>(
  { endpoint, plugin }: OwnedRegistration,
  values: T,
  ports: readonly ChosenPort[],
): T {
  const fill = (text: string) =>
    text.replace(/\{moat\.address\.(\d+)\}/g, (placeholder, port: string) => {
      const hostPort = ports.find((chosen) => chosen.port === Number(port))?.hostPort
      if (hostPort !== undefined) return `127.0.0.1:${hostPort}`
      throw new MoatError(
        'PLUGIN_FAILED',
        `Plugin ${plugin} returned an invalid registration: endpoint ${endpoint}: ${placeholder} is of a port without a hostPort.`,
      )
    })
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fill(value)])) as T
}

function unknownType(place: string, type: string, types: EndpointTypes): MoatError {
  const names = [...types.keys()].toSorted()
  const nearest = nearestName(type, names)
  const hint = nearest ? `; did you mean "${nearest}"?` : '.'
  const message = `${place}: unknown endpoint type "${visible(type)}"${hint} Installed: ${names.join(', ')}`
  return new MoatError('ENDPOINT_TYPE', message, {
    exit: exitCodes.usage,
    // Beside what was probably meant, a package of the mistyped name would be a trap.
    ...(nearest === undefined && {
      suggestions: [`moat plugins install moat-plugin-${type.toLowerCase().replace(/[^a-z0-9-]+/g, '-')}`],
    }),
  })
}
