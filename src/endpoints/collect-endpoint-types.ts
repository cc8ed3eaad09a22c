// Owns which endpoint types there are, and what goes wrong when plugins disagree.
import { MoatError } from '../errors.js'
import { isDnsLabel } from '../routing/dns-label.js'
import type { EndpointType } from './contract.js'
import type { EndpointPlugins } from './plugin-hooks.js'

export interface OwnedEndpointType {
  plugin: string
  type: EndpointType
}

export type EndpointTypes = ReadonlyMap<string, OwnedEndpointType>

/** All endpoint types by name. Two plugins with one name, or one that declares nonsense, are errors that name them. */
export async function collectEndpointTypes(plugins: EndpointPlugins): Promise<EndpointTypes> {
  const types = new Map<string, OwnedEndpointType>()
  for (const { plugin, result } of await plugins.endpointTypes()) {
    for (const type of declared(plugin, result)) {
      const owner = types.get(type.name)
      if (owner) throw clash(type.name, owner.plugin, plugin)
      types.set(type.name, { plugin, type })
    }
  }
  return types
}

function declared(plugin: string, result: unknown): EndpointType[] {
  if (!Array.isArray(result)) throw wrong(plugin, 'it must return a list of endpoint types')
  for (const type of result as Partial<EndpointType>[]) {
    if (typeof type?.name !== 'string' || !isDnsLabel(type.name)) {
      throw wrong(plugin, `the name ${JSON.stringify(type?.name)} is not a DNS label`)
    }
    if (typeof type.options?.safeParseAsync !== 'function') {
      throw wrong(plugin, `the type ${type.name} has no zod schema as its options`)
    }
  }
  return result as EndpointType[]
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
