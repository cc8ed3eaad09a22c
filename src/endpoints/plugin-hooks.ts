// Owns calling the hooks of the contract: oclif runs them, every failure becomes an error that names plugin and hook.
import { join } from 'node:path'
import type { Interfaces } from '@oclif/core'
import { MoatError, messageOf } from '../errors.js'
import {
  type AgentGoneOptions,
  agentGoneHook,
  agentProgramsHook,
  type EndpointRegistration,
  type EndpointType,
  endpointTypesHook,
  grantProvidersHook,
  type LateEndpointType,
  type RegisterEndpointsOptions,
  registerEndpointsHook,
} from './contract.js'
import { placeOfMistake } from './hook-mistake.js'
import { withOutputAside } from './hook-output.js'

/** What one plugin returned. */
export interface HookAnswer<T> {
  plugin: string
  result: T
}

/** What plugins do wrong, each named, and what those answered that do nothing wrong. */
export class PluginsFailed extends MoatError {
  readonly answers: readonly HookAnswer<unknown>[]

  constructor(failures: readonly [MoatError, ...MoatError[]], answers: readonly HookAnswer<unknown>[]) {
    super('PLUGIN_FAILED', failures.map(({ message }) => message).join('\n'), {
      cause: failures[0].cause,
      suggestions: failures.flatMap(({ suggestions = [] }) => suggestions),
    })
    this.answers = answers
  }
}

/** The plugins, as moat asks them. */
export interface EndpointPlugins {
  // All reject with PLUGIN_FAILED, naming each plugin that failed.
  agentGone(options: AgentGoneOptions): Promise<void>
  endpointTypes(): Promise<HookAnswer<(EndpointType | LateEndpointType)[]>[]>
  registerEndpoints(options: RegisterEndpointsOptions): Promise<HookAnswer<EndpointRegistration[]>[]>
}

/** How long a plugin's function may take. Milliseconds. */
const hookTime = 30_000

/** The plugins that oclif has loaded. `time` as hookTime. */
export function oclifPlugins(
  config: Pick<Interfaces.Config, 'runHook'>,
  { time = hookTime }: { time?: number } = {},
): EndpointPlugins {
  const run = <T>(hook: string, options: object) => withOutputAside(() => runHook<T>(config, hook, options, time))
  return {
    agentGone: async (options) => {
      await run<void>(agentGoneHook, options)
    },
    endpointTypes: () => run<(EndpointType | LateEndpointType)[]>(endpointTypesHook, {}),
    registerEndpoints: (options) => run<EndpointRegistration[]>(registerEndpointsHook, options),
  }
}

/** What plugins say of services that take credentials; checked by whoever asks. */
export function oclifGrantProviders(
  config: Pick<Interfaces.Config, 'runHook'>,
  { time = hookTime }: { time?: number } = {},
): Promise<HookAnswer<unknown>[]> {
  return withOutputAside(() => runHook<unknown>(config, grantProvidersHook, {}, time))
}

/** What plugins say of coding agents; checked by whoever asks. */
export function oclifAgentPrograms(
  config: Pick<Interfaces.Config, 'runHook'>,
  { time = hookTime }: { time?: number } = {},
): Promise<HookAnswer<unknown>[]> {
  return withOutputAside(() => runHook<unknown>(config, agentProgramsHook, {}, time))
}

/** Each plugin's answer, in the order of their names: oclif runs them at the same time. */
async function runHook<T>(
  config: Pick<Interfaces.Config, 'runHook'>,
  hook: string,
  options: object,
  time: number,
): Promise<HookAnswer<T>[]> {
  // With captureErrors, or a CLIError would come out of here without the name of its plugin.
  const run = config.runHook as unknown as (
    event: string,
    options: object,
    timeout: number,
    captureErrors: true,
  ) => Promise<Interfaces.Hook.Result<T>>
  // oclif's own timer does not keep the process alive, and a function that waits for nothing does not either.
  const alive = setInterval(() => {}, time)
  const { failures, successes } = await run.call(config, hook, options, time, true).finally(() => clearInterval(alive))
  const answers = successes
    .map(({ plugin, result }) => ({ plugin: plugin.name, result }))
    .toSorted((a, b) => a.plugin.localeCompare(b.plugin))
  const failed = failures.toSorted((a, b) => a.plugin.name.localeCompare(b.plugin.name))
  const [first, ...others] = await Promise.all(failed.map((failure) => hookFailure(failure, hook, time)))
  if (first) throw new PluginsFailed([first, ...others], answers)
  return answers
}

async function hookFailure(
  { error, plugin }: { error: Error; plugin: Pick<Interfaces.Plugin, 'hooks' | 'name' | 'root'> },
  hook: string,
  time: number,
): Promise<MoatError> {
  const { name } = plugin
  const [target] = plugin.hooks?.[hook] ?? []
  const file = target === undefined ? undefined : join(plugin.root, target.target)
  const place = await placeOfMistake(error, file)
  const late = /^Timed out after \d+ ms\.$/.test(error.message)
  const reason = late ? `it gave no answer within ${time / 1000} s.` : messageOf(error)
  const where = place === undefined ? '' : ` (${place})`
  return new MoatError('PLUGIN_FAILED', `Plugin ${name} failed in the hook ${hook}: ${reason}${where}`, {
    cause: error,
    suggestions: [`moat plugins inspect ${name}`, `moat plugins uninstall ${name}`],
  })
}
