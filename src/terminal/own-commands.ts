// Owns what is loaded for a command: of one of moat's own only its file, with oclif's configuration and plugins for everything
// else. Plugins are read once something asks them.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Config, type Interfaces, Plugin } from '@oclif/core'
import { installedPlugins } from '../config/installed-plugins.js'
import { pluginDirectory } from '../config/oclif-settings.js'
import { systemCode } from '../errors.js'
import { readPackage, withOwnPlugins } from '../plugins/own-plugins.js'
import { pluginsWithPrograms } from './program-commands.js'

/** A command of moat's, by its id or an alias: what the build has written of the manifest. See scripts/bundle/command-index.mjs. */
type CommandIndex = Readonly<Record<string, { file: string; id: string }>>

type Runnable = { id: string; run: (argv: string[], config: Config) => Promise<unknown> }

/** Runs `argv`, by oclif unless it is a command of moat's own. `program` is the URL of the program's file. */
export async function runCommand(
  argv: readonly string[],
  program: string,
  run: (options: Interfaces.LoadOptions) => Promise<unknown>,
): Promise<void> {
  const root = dirname(dirname(fileURLToPath(program)))
  const own = findOwn(argv, readIndex(root))
  if (!own) {
    await run({ plugins: await (tellsOfMoat(argv) ? onlyMoat(root) : pluginsWithPrograms(root)), root })
    return
  }
  const { default: command } = (await import(pathToFileURL(join(root, 'dist', own.file)).href)) as { default: Runnable }
  command.id = own.id
  await command.run(own.argv, ownConfig(root))
}

/** What moat's version is needs no plugin; `--verbose` shows theirs. */
function tellsOfMoat([command, ...flags]: readonly string[]): boolean {
  return command === 'version' && flags.every((flag) => flag === '--json')
}

async function onlyMoat(root: string): Promise<Map<string, Interfaces.Plugin>> {
  const moat = new Plugin({ isRoot: true, pjson: readPackage(root), root })
  await moat.load()
  return new Map([[moat.name, moat]])
}

/** Of oclif's configuration what commands of moat's own need: all of it takes as long to load as such a command does to run. */
function ownConfig(root: string): Config {
  const pjson = readPackage(root)
  const { name, oclif, version } = pjson
  return Object.assign(new Config({ root }), {
    bin: oclif.bin ?? name,
    name,
    pjson,
    root,
    // moat's own package has no hooks that a command of its own would call this way.
    runHook: async () => ({ failures: [], successes: [] }),
    topicSeparator: ' ' as const,
    version,
  })
}

/** What runs hooks of all plugins, those that are installed too; they are loaded for the first hook. */
export function withPlugins(config: Interfaces.Config): Pick<Interfaces.Config, 'runHook'> {
  let loaded: Promise<Interfaces.Config> | undefined
  const load = async () =>
    config.plugins.size > 1 ? config : (withOwnPlugins(config, pluginDirectory()) ?? Config.load({ root: config.root }))
  return {
    runHook: async (...hook) => {
      loaded ??= load()
      return (await loaded).runHook(...hook)
    },
  }
}

/** Without an index, everything is left to oclif. */
function readIndex(root: string): CommandIndex {
  try {
    return JSON.parse(readFileSync(join(root, 'dist', 'data', 'command-index.json'), 'utf8')) as CommandIndex
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {}
    throw error
  }
}

/** The command and its words, where no plugin has a say: help lists their commands, and they may have some below those of moat's own. */
function findOwn(
  argv: readonly string[],
  index: CommandIndex,
): { argv: string[]; file: string; id: string } | undefined {
  const separator = argv.indexOf('--')
  const ours = separator === -1 ? argv : argv.slice(0, separator)
  if (ours.includes('--help') || ours.includes('-h')) return undefined
  const flag = ours.findIndex((word) => word.startsWith('-'))
  const words = flag === -1 ? ours : ours.slice(0, flag)
  // A command's words may also be joined; not those that follow.
  const ids = words.map((_, end) => words.slice(0, end + 1).join(':'))
  const length = ids.findLastIndex((id) => Object.hasOwn(index, id)) + 1
  const found = index[ids[length - 1] ?? '']
  if (!found || words.slice(0, length).some((word) => word.includes(':'))) return undefined
  if (length !== words.length && installedPlugins(pluginDirectory()).length > 0) return undefined
  return { ...found, argv: argv.slice(length) }
}
