// Owns what completion knows of moat's commands: the oclif manifests of moat and its plugins, read as they lie on disk.
// oclif itself is loaded only for a plugin that has commands and no manifest, such as one that is being written.
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installedPlugins } from '../config/installed-plugins.js'
import { setUpOclif } from '../config/oclif-settings.js'
import { type DeclaredProgram, declaredPrograms, templateCommand } from '../programs/declared-programs.js'
import type { CompletionSource } from './completion-source.js'

export interface FlagEntry {
  allowNo?: boolean
  char?: string
  description?: string
  exclusive?: string[]
  hidden?: boolean
  multiple?: boolean
  options?: readonly string[]
  summary?: string
  type: 'boolean' | 'option'
}

export interface ArgumentEntry {
  hidden?: boolean
  options?: readonly string[]
}

/** A command as oclif's manifest has it. */
export interface CommandEntry {
  aliases?: string[]
  args?: Record<string, ArgumentEntry>
  /** What arguments (by name) and flags (`--name`) complete to. */
  completion?: Record<string, CompletionSource>
  description?: string
  flags?: Record<string, FlagEntry>
  hidden?: boolean
  /** Topics and name, with colons between them. */
  id: string
  /** False for a command whose last argument may be repeated. */
  strict?: boolean
  summary?: string
}

export interface CommandTable {
  commands: CommandEntry[]
  /** Coding agents, each with a command like all others of its kind. */
  programs?: DeclaredProgram[]
  /** Descriptions of topics, by id. */
  topics: Record<string, string>
}

interface PackageFile {
  oclif?: {
    commands?: unknown
    plugins?: string[]
    topics?: Record<string, { description?: string }>
  }
}

/** What the arguments of oclif's own commands complete to, which cannot say it themselves. */
const foreignCompletion: Record<string, Record<string, CompletionSource>> = {
  help: { command: 'commands' },
  'plugins:inspect': { plugin: 'plugins' },
  'plugins:install': { plugin: 'files' },
  'plugins:link': { path: 'directories' },
  'plugins:uninstall': { plugin: 'plugins' },
}

const moatRoot = fileURLToPath(new URL('../..', import.meta.url))

/** All commands there are. `plugins` is the directory of the plugins a person has installed. */
export async function readCommandTable(plugins: string, root: string = moatRoot): Promise<CommandTable> {
  const own = await readPackage(root)
  const core = await Promise.all((own.oclif?.plugins ?? []).map((plugin) => findPackage(root, plugin)))
  const roots = [root, ...core, ...installedPlugins(plugins).map((plugin) => plugin.root)]
  const parts = await Promise.all(roots.map((directory) => readPlugin(directory)))
  if (parts.includes('without manifest')) return askOclif(root)
  return mergeParts(parts.filter((part) => typeof part === 'object'))
}

async function readPlugin(directory: string): Promise<CommandTable | 'without manifest'> {
  const file = await readPackage(directory)
  const { oclif } = file
  const programs = declaredPrograms(file)
  const topics = Object.fromEntries(
    Object.entries(oclif?.topics ?? {}).map(([id, { description = '' }]) => [id, description]),
  )
  const manifest = await readJson<{ commands: Record<string, CommandEntry> }>(join(directory, 'oclif.manifest.json'))
  if (!manifest) return oclif?.commands === undefined ? { commands: [], programs, topics } : 'without manifest'
  return { commands: Object.values(manifest.commands), programs, topics }
}

async function askOclif(root: string): Promise<CommandTable> {
  setUpOclif()
  const { Config } = await import('@oclif/core/config')
  const { commands, plugins, topics } = await Config.load(join(root, 'package.json'))
  return mergeParts([
    {
      commands: commands as unknown as CommandEntry[],
      programs: [...plugins.values()].flatMap(({ pjson }) => declaredPrograms(pjson)),
      topics: Object.fromEntries(topics.map(({ description = '', name }) => [name, description])),
    },
  ])
}

/** The first to define a command has it, as in oclif for commands of moat's own. */
function mergeParts(parts: CommandTable[]): CommandTable {
  const commands = new Map<string, CommandEntry>()
  for (const command of parts.flatMap((part) => part.commands)) {
    const { id } = command
    if (commands.has(id)) continue
    commands.set(id, { ...command, completion: { ...foreignCompletion[id], ...command.completion } })
  }
  const template = commands.get(templateCommand)
  for (const { name, summary } of parts.flatMap(({ programs = [] }) => programs)) {
    if (!template || commands.has(name)) continue
    commands.set(name, { ...template, description: summary, hidden: false, id: name })
  }
  return { commands: [...commands.values()], topics: Object.assign({}, ...parts.toReversed().map((p) => p.topics)) }
}

/** Where the package `name` is installed for `root`; a directory that does not exist when it is not. */
async function findPackage(root: string, name: string): Promise<string> {
  for (let directory = root; ; directory = dirname(directory)) {
    const candidate = join(directory, 'node_modules', name)
    if (dirname(directory) === directory || (await readJson(join(candidate, 'package.json')))) return candidate
  }
}

async function readPackage(directory: string): Promise<PackageFile> {
  return (await readJson<PackageFile>(join(directory, 'package.json'))) ?? {}
}

/** Undefined for a file that is not there or not JSON: completion says nothing of what it cannot read. */
async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T
  } catch {
    return undefined
  }
}
