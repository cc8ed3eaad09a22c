// Owns which endpoint types there are, and what goes wrong when plugins disagree.
import { throwAll } from '../config/problems.js'
import { MoatError, messageOf } from '../errors.js'
import { isDnsLabel } from '../routing/dns-label.js'
import type { EndpointType, LateEndpointType, OptionsSchema } from './contract.js'
import { withOutputAside } from './hook-output.js'
import { type EndpointPlugins, PluginsFailed } from './plugin-hooks.js'

export interface OwnedEndpointType {
  /** Rejects with PLUGIN_FAILED, naming the plugin. */
  loadOptions(): Promise<OptionsSchema>
  plugin: string
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
    for (const type of Array.isArray(result) ? (result as Partial<EndpointType & LateEndpointType>[]) : [undefined]) {
      const reason = Array.isArray(result) ? problemOf(type) : 'it must return a list of endpoint types'
      const owner = types.get(String(type?.name))
      if (reason !== undefined) errors.push(wrong(plugin, reason))
      else if (owner) errors.push(clash(String(type?.name), owner.plugin, plugin))
      else types.set(String(type?.name), { loadOptions: () => loadOptions(plugin, type), plugin })
    }
  }
  return { errors, types }
}

async function loadOptions(
  plugin: string,
  type: Partial<EndpointType & LateEndpointType> = {},
): Promise<OptionsSchema> {
  const load = withOutputAside(async () => type.options ?? type.loadOptions?.())
  const schema = await load.catch((error: unknown) => {
    throw wrong(plugin, `the options of the type ${type.name} cannot be loaded (${messageOf(error)})`, error)
  })
  if (!isSchema(schema)) throw wrong(plugin, noSchema(type.name))
  return schema
}

function isSchema(value: Partial<OptionsSchema> | undefined): value is OptionsSchema {
  return typeof value?.safeParseAsync === 'function'
}

const noSchema = (name: unknown) => `the type ${name} has no zod schema as its options`

function problemOf(type: Partial<EndpointType & LateEndpointType> | null | undefined): string | undefined {
  if (typeof type?.name !== 'string' || !isDnsLabel(type.name))
    return `the name ${JSON.stringify(type?.name)} is not a DNS label`
  return typeof type.loadOptions === 'function' || isSchema(type.options) ? undefined : noSchema(type.name)
}

function wrong(plugin: string, reason: string, cause?: unknown): MoatError {
  return new MoatError('PLUGIN_FAILED', `Plugin ${plugin} declares its endpoint types incorrectly: ${reason}.`, {
    cause,
    suggestions: [`moat plugins uninstall ${plugin}`],
  })
}

function clash(type: string, first: string, second: string): MoatError {
  const removable = [second, first].filter((plugin) => !plugin.startsWith('moat-cli'))
  return new MoatError('PLUGIN_FAILED', `Plugins ${first} and ${second} both declare the endpoint type ${type}.`, {
    suggestions: removable.map((plugin) => `moat plugins uninstall ${plugin}`),
  })
}
