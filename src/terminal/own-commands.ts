// Owns what oclif loads for a command: only moat itself for one of moat's own, with plugins for everything else. Plugins
// are read once something asks them.
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config, type Interfaces, Plugin } from '@oclif/core'
import { installedPlugins } from '../config/installed-plugins.js'
import { pluginDirectory } from '../config/oclif-settings.js'
import { pluginsWithPrograms } from './program-commands.js'

/** What to call oclif with. `program` is the URL of the program's file. */
export async function commandOptions(argv: readonly string[], program: string): Promise<Interfaces.LoadOptions> {
  const root = dirname(dirname(fileURLToPath(program)))
  const pjson = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Interfaces.PJSON
  const moat = new Plugin({ isRoot: true, pjson, root })
  await moat.load()
  return isOwn(
    argv,
    moat.commands.flatMap(({ aliases, id }) => [id, ...aliases]),
  )
    ? { plugins: new Map([[moat.name, moat]]), root }
    : { plugins: await pluginsWithPrograms(root), root }
}

/** What runs hooks of all plugins, those that are installed too; they are loaded for the first hook. */
export function withPlugins(config: Interfaces.Config): Pick<Interfaces.Config, 'runHook'> {
  let loaded: Promise<Interfaces.Config> | undefined
  return {
    runHook: async (...hook) => {
      loaded ??= config.plugins.size > 1 ? Promise.resolve(config) : Config.load({ root: config.root })
      return (await loaded).runHook(...hook)
    },
  }
}

/** Commands, some only with a flag, that show what plugins there are. */
const tellOfPlugins: [string, string?][] = [['help'], ['version', '--verbose']]

/** True where no plugin has a say: help lists their commands, and they may have some below those of moat's own. */
function isOwn(argv: readonly string[], ids: readonly string[]): boolean {
  const separator = argv.indexOf('--')
  const ours = separator === -1 ? argv : argv.slice(0, separator)
  if (
    ours.includes('--help') ||
    ours.includes('-h') ||
    tellOfPlugins.some(([name, flag = name]) => ours[0] === name && ours.includes(flag))
  )
    return false
  const flag = ours.findIndex((word) => word.startsWith('-'))
  const words = (flag === -1 ? ours : ours.slice(0, flag)).flatMap((word) => word.split(':'))
  const length = words.findLastIndex((_, index) => ids.includes(words.slice(0, index + 1).join(':'))) + 1
  return length > 0 && (length === words.length || installedPlugins(pluginDirectory()).length === 0)
}
