// Owns asking all plugins for their endpoint types, and what goes wrong when they disagree.
import type { Interfaces } from '@oclif/core'
import { MoatError, messageOf } from '../errors.js'
import { type EndpointType, endpointTypesHook } from './endpoint-type.js'

export type EndpointTypes = ReadonlyMap<string, EndpointType>

/** All endpoint types by name. A plugin that fails, and two plugins with one name, are errors that name them. */
export async function collectEndpointTypes(config: Pick<Interfaces.Config, 'runHook'>): Promise<EndpointTypes> {
  const { failures, successes } = await config.runHook(endpointTypesHook, {})
  // oclif collects what hooks throw instead of throwing it.
  const [failure] = failures
  if (failure) {
    throw new MoatError(
      'PLUGIN_FAILED',
      `Plugin ${failure.plugin.name} failed in the hook ${endpointTypesHook}: ${messageOf(failure.error)}`,
      { cause: failure.error, suggestions: [`moat plugins uninstall ${failure.plugin.name}`] },
    )
  }
  const owners = new Map<string, { plugin: string; type: EndpointType }>()
  // Hooks run at the same time; sorting makes the outcome the same every time.
  const declared = successes
    .map(({ plugin, result }) => ({ plugin: plugin.name, types: (result ?? []) as EndpointType[] }))
    .toSorted((a, b) => a.plugin.localeCompare(b.plugin))
  for (const { plugin, types } of declared) {
    for (const type of types) {
      const owner = owners.get(type.name)
      if (owner) {
        throw new MoatError(
          'PLUGIN_FAILED',
          `Plugins ${owner.plugin} and ${plugin} both declare the endpoint type ${type.name}.`,
          { suggestions: [`moat plugins uninstall ${plugin}`, `moat plugins uninstall ${owner.plugin}`] },
        )
      }
      owners.set(type.name, { plugin, type })
    }
  }
  return new Map([...owners].map(([name, { type }]) => [name, type]))
}
