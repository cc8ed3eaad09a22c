// Owns the list of plugins a person has installed or linked, as oclif keeps it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../errors.js'
import { systemReason } from './read-config.js'

export interface InstalledPlugin {
  name: string
  root: string
}

type ListedPlugin = string | { name: string; root?: string }

interface PluginList {
  oclif?: { plugins?: ListedPlugin[] }
}

export function pluginListFile(directory: string): string {
  return join(directory, 'package.json')
}

/** None when there is no list, or one that cannot be read: see `pluginListProblem`. */
export function installedPlugins(directory: string): InstalledPlugin[] {
  const { plugins } = readPluginList(directory)
  return (plugins ?? []).map((plugin) => {
    const { name, root } = typeof plugin === 'string' ? { name: plugin, root: undefined } : plugin
    return { name, root: root ?? join(directory, 'node_modules', name) }
  })
}

/** Why the list cannot be read, as the end of a sentence; undefined when it can, and when there is none. */
export function pluginListProblem(directory: string): string | undefined {
  return readPluginList(directory).problem
}

function readPluginList(directory: string): { plugins?: ListedPlugin[]; problem?: string } {
  let text: string
  try {
    text = readFileSync(pluginListFile(directory), 'utf8')
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? {} : { problem: systemReason(error) }
  }
  try {
    const { oclif } = JSON.parse(text) as PluginList
    const plugins = oclif?.plugins ?? []
    if (Array.isArray(plugins) && plugins.every(isListed)) return { plugins }
    return { problem: 'oclif.plugins in it is not a list of plugins' }
  } catch {
    return { problem: 'it is not a JSON object' }
  }
}

function isListed(plugin: unknown): boolean {
  const { name, root } = (typeof plugin === 'string' ? { name: plugin } : (plugin ?? {})) as Record<string, unknown>
  return typeof name === 'string' && (root === undefined || typeof root === 'string')
}

/** The packages that moat-cli brings as oclif's plugins, those of endpoint types among them. */
export function bundledPlugins(): string[] {
  const { oclif } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as PluginList
  return (oclif?.plugins ?? []).map((plugin) => (typeof plugin === 'string' ? plugin : plugin.name))
}
