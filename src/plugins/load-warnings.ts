// Owns what is said of a plugin that cannot be loaded. oclif reports it as a warning of Node's, with a process id and
// paths of its own; moat names the plugin and the command that helps.

import { type InstalledPlugin, installedPlugins } from '../config/installed-plugins.js'
import { shellQuote } from '../config/shell-quote.js'

/** From now on, such warnings go to `print` in moat's words, each plugin once. Other warnings stay Node's. */
export function explainLoadWarnings(directory: string, print: (line: string) => void): void {
  const usual = process.listeners('warning')
  const seen = new Set<string>()
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    const detail = 'detail' in warning ? String(warning.detail) : ''
    const text = [warning.name, warning.message, detail].join('\n')
    if (!/^module: @oclif\/core/m.test(text)) {
      for (const listener of usual) listener.call(process, warning)
      return
    }
    const line = describe(text, installedPlugins(directory))
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

function reasonOf(text: string): string {
  const line = /^message: (.*)$/m.exec(text)?.[1] ?? /^.*(?:ENOENT|EACCES|SyntaxError).*$/m.exec(text)?.[0] ?? text
  return line
    .replace(/^(?:\S+ )?Plugin: \S+: /, '')
    .replace(/^\[\w+\] /, '')
    .replace(/\.$/, '')
}
