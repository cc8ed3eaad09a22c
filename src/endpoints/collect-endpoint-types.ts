// Owns which endpoint types there are, and what goes wrong when plugins disagree.
import { throwAll } from '../config/problems.js'
import { MoatError } from '../errors.js'
import { isDnsLabel } from '../routing/dns-label.js'
import type { EndpointType } from './contract.js'
import { type EndpointPlugins, PluginsFailed } from './plugin-hooks.js'

export interface OwnedEndpointType {
  plugin: string
  type: EndpointType
}

export type EndpointTypes = ReadonlyMap<string, OwnedEndpointType>

/** All endpoint types by name. Two plugins with one name, or one that declares nonsense, are errors that name them. */
export async function collectEndpointTypes(plugins: EndpointPlugins): Promise<EndpointTypes> {
  const { errors, types } = await gatherEndpointTypes(plugins)
  throwAll(errors)
  return types
}

/** The same, with the types of plugins that do nothing wrong beside what others do. */
export async function gatherEndpointTypes(
  plugins: EndpointPlugins,
): Promise<{ errors: MoatError[]; types: EndpointTypes }> {
  const errors: MoatError[] = []
  const types = new Map<string, OwnedEndpointType>()
  const answers = await plugins.endpointTypes().catch((error: unknown) => {
    if (!(error instanceof PluginsFailed)) throw error
    errors.push(error)
    return error.answers
  })
  for (const { plugin, result } of answers) {
    for (const type of Array.isArray(result) ? (result as Partial<EndpointType>[]) : [undefined]) {
      const reason = Array.isArray(result) ? problemOf(type) : 'it must return a list of endpoint types'
      const owner = types.get(String(type?.name))
      if (reason !== undefined) errors.push(wrong(plugin, reason))
      else if (owner) errors.push(clash(String(type?.name), owner.plugin, plugin))
      else types.set(String(type?.name), { plugin, type: type as EndpointType })
    }
  }
  return { errors, types }
}

function problemOf(type: Partial<EndpointType> | null | undefined): string | undefined {
  if (typeof type?.name !== 'string' || !isDnsLabel(type.name))
    return `the name ${JSON.stringify(type?.name)} is not a DNS label`
  if (typeof type.options?.safeParseAsync !== 'function')
    return `the type ${type.name} has no zod schema as its options`
  return undefined
}

function wrong(plugin: string, reason: string): MoatError {
  return new MoatError('PLUGIN_FAILED', `Plugin ${plugin} declares its endpoint types incorrectly: ${reason}.`, {
    suggestions: [`moat plugins uninstall ${plugin}`],
  })
}

function clash(type: string, first: string, second: string): MoatError {
  const removable = [second, first].filter((plugin) => !plugin.startsWith('moat-cli'))
  return new MoatError('PLUGIN_FAILED', `Plugins ${first} and ${second} both declare the endpoint type ${type}.`, {
    suggestions: removable.map((plugin) => `moat plugins uninstall ${plugin}`),
  })
}
