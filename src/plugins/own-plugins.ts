// Owns the hooks of moat and of the plugins that it brings, as their package.json files name them. oclif would look for their
// commands too, which takes it as long as a short command.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Config, type Interfaces } from '@oclif/core'
import { installedPlugins, pluginListProblem } from '../config/installed-plugins.js'

type Hooks = Interfaces.Plugin['hooks']
type DeclaredHook = string | { identifier?: string; target: string }

/**
 * A configuration that runs the hooks of moat's own plugins. Undefined where somebody has installed others, or may have, and for a
 * package that is not where Node looks for it: then oclif has to load them.
 */
export function withOwnPlugins(config: Interfaces.Config, installedAt: string): Config | undefined {
  if (installedPlugins(installedAt).length > 0 || pluginListProblem(installedAt) !== undefined) return undefined
  const { pjson, root } = config
  const roots = [root, ...(pjson.oclif.plugins ?? []).map((name) => packageRoot(name, root))]
  if (roots.some((one) => one === undefined)) return undefined
  const plugins = roots.flatMap((one) => (one === undefined ? [] : readHooks(one)))
  const own = Object.assign(new Config({ root }), { name: config.name, pjson, root, version: config.version })
  return Object.assign(own, { plugins: new Map(plugins.map((plugin) => [plugin.name, plugin])) })
}

/** Where Node would find the package that moat's own asks for. */
function packageRoot(name: string, from: string): string | undefined {
  const root = join(from, 'node_modules', name)
  if (existsSync(join(root, 'package.json'))) return root
  const parent = dirname(from)
  return parent === from ? undefined : packageRoot(name, parent)
}

function readHooks(root: string): Interfaces.Plugin {
  const pjson = readPackage(root)
  const declared = Object.entries((pjson.oclif?.hooks ?? {}) as Record<string, DeclaredHook | DeclaredHook[]>)
  const hooks = Object.fromEntries(declared.map(([event, targets]) => [event, [targets].flat().map(asRead)]))
  return { hooks: hooks as Hooks, name: pjson.name, options: { root }, pjson, root, type: 'core' } as Interfaces.Plugin
}

export function readPackage(root: string): Interfaces.PJSON {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Interfaces.PJSON
}

function asRead(hook: DeclaredHook) {
  return typeof hook === 'string' ? { identifier: 'default', target: hook } : { identifier: 'default', ...hook }
}
