// Owns what is said of a plugin that cannot be loaded, and of a list of plugins that cannot be read. oclif reports it as a warning of Node's, with a process id and
// paths of its own; moat names the plugin and the command that helps.
import { existsSync } from 'node:fs'
import {
  type InstalledPlugin,
  installedPlugins,
  pluginListFile,
  pluginListProblem,
} from '../config/installed-plugins.js'
import { displayPath } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'

/** From now on, such warnings go to `print` in moat's words, each plugin once. Other warnings stay Node's. */
export function explainLoadWarnings(directory: string, print: (line: string) => void): void {
  const usual = process.listeners('warning')
  const seen = new Set<string>()
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    const detail = 'detail' in warning ? String(warning.detail) : ''
    const text = [warning.name, warning.message, detail].join('\n')
    const line = /^module: @oclif\/core/m.test(text)
      ? describe(text, installedPlugins(directory))
      : describeList(warning, directory)
    if (line === undefined) {
      for (const listener of usual) listener.call(process, warning)
      return
    }
    if (!seen.has(line)) print(line)
    seen.add(line)
  })
}

function describe(text: string, plugins: readonly InstalledPlugin[]): string {
  const plugin = plugins.find(({ name, root }) => text.includes(`plugin: ${name}\n`) || text.includes(`${root}/`))
  const reason = reasonOf(text)
  if (!plugin) return `Warning: a plugin cannot be loaded: ${reason}.`
  const missing = /Cannot find package '[^']+'/.test(reason)
  const remedy = missing ? `npm install --prefix ${shellQuote(plugin.root)}` : `moat plugins uninstall ${plugin.name}`
  return `Warning: the plugin ${plugin.name} cannot be loaded: ${reason}.\n  ${remedy}`
}

/** Of the list oclif says only what the system, or the reader of JSON, has said; warnings of Node's own are of another kind. */
function describeList(warning: Error, directory: string): string | undefined {
  const problem = warning.name.endsWith('Warning') ? undefined : pluginListProblem(directory)
  if (problem === undefined) return undefined
  const file = pluginListFile(directory)
  // It is not there where what should be a directory above it is none.
  const remedy = existsSync(file)
    ? `mv ${shellQuote(file)} ${shellQuote(`${file}.broken`)}   # then install plugins again`
    : 'moat doctor'
  return `Warning: ${displayPath(file)}, the list of plugins, cannot be read: ${problem}. No plugin is loaded.\n  ${remedy}`
}

function reasonOf(text: string): string {
  const line = /^message: (.*)$/m.exec(text)?.[1] ?? /^.*(?:ENOENT|EACCES|SyntaxError).*$/m.exec(text)?.[0] ?? text
  return line
    .replace(/^(?:\S+ )?Plugin: \S+: /, '')
    .replace(/^\[\w+\] /, '')
    .replace(/\.$/, '')
}
