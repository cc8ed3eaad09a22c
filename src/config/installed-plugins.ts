// Owns the list of plugins a person has installed or linked, as oclif keeps it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface InstalledPlugin {
  name: string
  root: string
}

interface PluginList {
  oclif?: { plugins?: (string | { name: string; root?: string })[] }
}

/** None when there is no list, or one that cannot be read, which oclif says itself. */
export function installedPlugins(directory: string): InstalledPlugin[] {
  let list: PluginList
  try {
    list = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as PluginList
  } catch {
    return []
  }
  return (list.oclif?.plugins ?? []).map((plugin) => {
    const { name, root } = typeof plugin === 'string' ? { name: plugin, root: undefined } : plugin
    return { name, root: root ?? join(directory, 'node_modules', name) }
  })
}

/** The packages that moat-cli brings as oclif's plugins, those of endpoint types among them. */
export function bundledPlugins(): string[] {
  const { oclif } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as PluginList
  return (oclif?.plugins ?? []).map((plugin) => (typeof plugin === 'string' ? plugin : plugin.name))
}
