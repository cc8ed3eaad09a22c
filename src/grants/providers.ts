// Owns which providers there are: moat's own, those of ~/.moat/providers, and those of plugins; and what goes wrong among them.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { checkConfig, parseConfig } from '../config/load-yaml.js'
import { ownData } from '../config/own-data.js'
import { displayPath } from '../config/paths.js'
import { readConfigText } from '../config/read-config.js'
import { shellQuote } from '../config/shell-quote.js'
import type { YamlSource } from '../config/yaml-source.js'
import type { HookAnswer } from '../endpoints/plugin-hooks.js'
import { exitCodes, MoatError, systemCode } from '../errors.js'
import { isDnsLabel } from '../routing/dns-label.js'
import { nearestName } from '../routing/nearest-name.js'
import type { GrantProvider } from './provider.js'
import { namedProvider, type ParsedProvider, providerKeys, providerSchema } from './provider-schema.js'

export interface OwnedProvider {
  /** Who describes it: `moat`, a file, a plugin. */
  origin: string
  provider: GrantProvider
}

export type Providers = ReadonlyMap<string, OwnedProvider>

export interface ProviderSources {
  /** Absolute; need not exist. */
  directory: string
  plugins: () => Promise<HookAnswer<unknown>[]>
}

/** Names that commands have already. */
const taken = ['list', 'providers', 'rename', 'revoke', 'show']

/** All of them. Throws CONFIG_INVALID for a file, PLUGIN_FAILED for a plugin, GRANT_PROVIDER for a name that two have. */
export async function collectProviders({ directory, plugins }: ProviderSources): Promise<Providers> {
  const all = new Map<string, OwnedProvider>()
  const add = (origin: string, providers: readonly GrantProvider[]) => {
    for (const provider of providers) {
      const known = all.get(provider.name)
      if (known) throw clash(provider.name, known.origin, origin)
      all.set(provider.name, { origin, provider })
    }
  }
  add('moat', builtInProviders())
  for (const file of await yamlFiles(directory)) add(displayPath(file), await readProviderFile(file))
  for (const { plugin, result } of await plugins()) add(`plugin ${plugin}`, declared(plugin, result))
  return all
}

/** The one that is meant. Throws GRANT_PROVIDER. */
export function findProvider(providers: Providers, name: string): OwnedProvider {
  const found = providers.get(name)
  if (found) return found
  const nearest = nearestName(name, [...providers.keys()])
  throw new MoatError('GRANT_PROVIDER', `There is no provider ${JSON.stringify(name)} of grants.`, {
    exit: exitCodes.usage,
    suggestions: [
      ...(nearest === undefined ? [] : [`moat grant ${nearest}`]),
      'moat grant providers',
      ...(isDnsLabel(name) ? [`moat grant ${name} --host api.example.com --header X-Api-Key`] : []),
    ],
  })
}

function builtInProviders(): GrantProvider[] {
  const all = z.record(z.string(), providerSchema).parse(ownData('grant-providers'))
  return Object.entries(all).map(([name, parsed]) => namedProvider(name, parsed))
}

/** A mapping of names to providers, as moat's own list is one. */
async function readProviderFile(file: string): Promise<GrantProvider[]> {
  const display = displayPath(file)
  const text = await readConfigText(file, display)
  const source = text === undefined ? undefined : parseConfig(display, text)
  if (text === undefined || !source) return []
  const schema = z
    .record(z.string(), providerSchema, { error: 'must be a mapping of names to providers' })
    .superRefine((all, context) => {
      for (const name of Object.keys(all)) {
        const message = nameProblem(name)
        if (message) context.addIssue({ code: 'custom', message, params: { at: 'key' }, path: [name] })
      }
    })
  const parsed: Record<string, ParsedProvider> = await checkConfig(display, text, source, schema, keysOf(source))
  return Object.entries(parsed).map(([name, one]) => namedProvider(name, one))
}

function nameProblem(name: string): string | undefined {
  if (!isDnsLabel(name))
    return `${JSON.stringify(name)} is not a valid name for a provider: use lowercase letters, digits and hyphens`
  return taken.includes(name) ? `${JSON.stringify(name)} is the name of a command of moat grant` : undefined
}

/** The keys there may be at each path of this very document. */
function keysOf(source: YamlSource): Record<string, readonly string[]> {
  const keys: Record<string, readonly string[]> = {}
  for (const name of source.keysAt([])) {
    for (const [part, known] of Object.entries(providerKeys)) {
      if (part !== 'inject') keys[part === '' ? name : `${name}.${part}`] = known
    }
    for (let index = 0; index < 20; index++) keys[`${name}.inject[${index}]`] = providerKeys.inject
  }
  return keys
}

function declared(plugin: string, result: unknown): GrantProvider[] {
  const wrong = (reason: string) =>
    new MoatError('PLUGIN_FAILED', `Plugin ${plugin} declares its providers of grants incorrectly: ${reason}.`, {
      suggestions: [`moat plugins uninstall ${plugin}`],
    })
  if (!Array.isArray(result)) throw wrong('it must return a list of providers')
  return result.map((one: unknown) => {
    const { name, ...rest } = (one ?? {}) as { name?: unknown }
    if (typeof name !== 'string' || !isDnsLabel(name))
      throw wrong(`the name ${JSON.stringify(name)} is not a DNS label`)
    const problem = nameProblem(name)
    if (problem) throw wrong(problem)
    const parsed = providerSchema.safeParse(rest)
    if (parsed.success) return namedProvider(name, parsed.data)
    const [issue] = parsed.error.issues
    throw wrong(`of ${name}, ${issue?.path.join('.') || 'it'} ${issue?.message}`)
  })
}

function clash(name: string, first: string, second: string): MoatError {
  const file = [second, first].find((origin) => origin.endsWith('.yaml'))
  const plugin = [second, first].find((origin) => origin.startsWith('plugin '))?.slice('plugin '.length)
  return new MoatError('GRANT_PROVIDER', `Both ${first} and ${second} describe the provider ${name}.`, {
    exit: exitCodes.usage,
    suggestions: [
      ...(file === undefined ? [] : [`give it another name in ${shellQuote(file)}`]),
      ...(plugin === undefined ? [] : [`moat plugins uninstall ${plugin}`]),
    ],
  })
}

async function yamlFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  return names
    .filter((name) => /\.ya?ml$/.test(name))
    .toSorted()
    .map((name) => join(directory, name))
}
