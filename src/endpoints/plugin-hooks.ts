// Owns calling the hooks of the contract: oclif runs them, every failure becomes an error that names plugin and hook.
import type { Interfaces } from '@oclif/core'
import { MoatError, messageOf } from '../errors.js'
import {
  type AgentGoneOptions,
  agentGoneHook,
  type EndpointRegistration,
  type EndpointType,
  endpointTypesHook,
  type RegisterEndpointsOptions,
  registerEndpointsHook,
} from './contract.js'

/** What one plugin returned. */
export interface HookAnswer<T> {
  plugin: string
  result: T
}

/** The plugins, as moat asks them. */
export interface EndpointPlugins {
  /** Rejects with PLUGIN_FAILED, naming the first plugin that failed. */
  agentGone(options: AgentGoneOptions): Promise<void>
  endpointTypes(): Promise<HookAnswer<EndpointType[]>[]>
  registerEndpoints(options: RegisterEndpointsOptions): Promise<HookAnswer<EndpointRegistration[]>[]>
}

/** The plugins that oclif has loaded. */
export function oclifPlugins(config: Pick<Interfaces.Config, 'runHook'>): EndpointPlugins {
  return {
    agentGone: async (options) => {
      await runHook<void>(config, agentGoneHook, options)
    },
    endpointTypes: () => runHook<EndpointType[]>(config, endpointTypesHook, {}),
    registerEndpoints: (options) => runHook<EndpointRegistration[]>(config, registerEndpointsHook, options),
  }
}

/** Each plugin's answer, in the order of their names: oclif runs them at the same time. */
async function runHook<T>(
  config: Pick<Interfaces.Config, 'runHook'>,
  hook: string,
  options: object,
): Promise<HookAnswer<T>[]> {
  // With captureErrors, or a CLIError would come out of here without the name of its plugin.
  const run = config.runHook as unknown as (
    event: string,
    options: object,
    timeout: undefined,
    captureErrors: true,
  ) => Promise<Interfaces.Hook.Result<T>>
  const { failures, successes } = await run.call(config, hook, options, undefined, true)
  const [failure] = failures.toSorted((a, b) => a.plugin.name.localeCompare(b.plugin.name))
  if (failure) throw hookFailure(failure.plugin.name, hook, failure.error)
  return successes
    .map(({ plugin, result }) => ({ plugin: plugin.name, result }))
    .toSorted((a, b) => a.plugin.localeCompare(b.plugin))
}

function hookFailure(plugin: string, hook: string, error: Error): MoatError {
  return new MoatError('PLUGIN_FAILED', `Plugin ${plugin} failed in the hook ${hook}: ${messageOf(error)}`, {
    cause: error,
    suggestions: [`moat plugins inspect ${plugin}`, `moat plugins uninstall ${plugin}`],
  })
}
