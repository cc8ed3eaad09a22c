// Owns which packages a project asks for, by the kind of project, and looking for a text in its source.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReadProjectFile } from './project.js'
import { projectFiles } from './read-project-file.js'

export type ProjectKind = 'dotnet' | 'elixir' | 'java' | 'node' | 'php' | 'python' | 'ruby'

interface Kind {
  /** Where packages are asked for; `*` stands for any name. */
  manifests: string[]
  /** How source and settings end. */
  sources: RegExp
}

const kinds: Record<ProjectKind, Kind> = {
  dotnet: { manifests: ['*.csproj', '*.fsproj'], sources: /\.(?:cs|fs|json)$/ },
  elixir: { manifests: ['mix.exs'], sources: /\.exs?$/ },
  java: { manifests: ['pom.xml', 'build.gradle', 'build.gradle.kts'], sources: /\.(?:java|kt|properties|ya?ml)$/ },
  node: { manifests: ['package.json'], sources: /\.[cm]?[jt]sx?$/ },
  php: { manifests: ['composer.json'], sources: /\.(?:php|ya?ml)$/ },
  python: {
    // Names Django in a project that has no list of packages.
    manifests: [
      'manage.py',
      'requirements.txt',
      'pyproject.toml',
      'Pipfile',
      'setup.py',
      'setup.cfg',
      'environment.yml',
    ],
    sources: /\.(?:py|toml)$/,
  },
  ruby: { manifests: ['Gemfile'], sources: /\.rb$/ },
}

/** Bytes; more is neither a list of packages nor source that somebody wrote. */
const mostBytes = 128 * 1024
/** Files to look at, and directories on the way: enough for a project that is begun, and never long. */
const most = { depth: 5, directories: 300, files: 400 }
/** What others wrote, or tools made. */
const foreign = /^(?:\..*|node_modules|vendor|venv|env|site-packages|dist|build|target|bin|obj|deps|_build)$/
/** In a directory of packages: Python's have it, whatever the directory is called. */
const installed = /^pyvenv\.cfg$|\.dist-info$/

export class ProjectPackages {
  readonly #directory: string
  readonly #manifests = new Map<ProjectKind, Promise<string>>()
  readonly #read: ReadProjectFile
  readonly #sources = new Map<ProjectKind, Promise<string[]>>()

  constructor(directory: string) {
    this.#directory = directory
    this.#read = projectFiles(directory, mostBytes)
  }

  /** True where a list of packages names it, or a word of the command: Python's servers are programs. */
  async asksFor(kind: ProjectKind, name: string, command: string): Promise<boolean> {
    const manifests = await this.#manifestsOf(kind)
    return hasWord(kind === 'python' ? `${manifests}\n${command}` : manifests, name)
  }

  /** True where a list of packages has this. */
  async asksBy(kind: ProjectKind, pattern: RegExp): Promise<boolean> {
    return pattern.test(await this.#manifestsOf(kind))
  }

  #manifestsOf(kind: ProjectKind): Promise<string> {
    const manifests = this.#manifests.get(kind) ?? this.#readManifests(kind)
    this.#manifests.set(kind, manifests)
    return manifests
  }

  /** True where a file of environment variables sets it: programs that read those let what is there already win. */
  async sets(variable: string): Promise<boolean> {
    for (const name of ['.env', '.env.local', '.env.development', '.env.development.local']) {
      const text = await this.#read(name)
      if (text !== undefined && new RegExp(`^[ \\t]*(?:export[ \\t]+)?${variable}[ \\t]*=`, 'm').test(text)) return true
    }
    return false
  }

  /** True where source has the text, outside of lines that are comments. */
  async mentions(kind: ProjectKind, text: string): Promise<boolean> {
    const sources = this.#sources.get(kind) ?? this.#readSources(kinds[kind].sources)
    this.#sources.set(kind, sources)
    return (await sources).some((code) => code.includes(text))
  }

  async #readManifests(kind: ProjectKind): Promise<string> {
    const names = kinds[kind].manifests
    const there = names.some((name) => name.startsWith('*')) ? await this.#list('') : []
    const files = names.flatMap((name) =>
      name.startsWith('*') ? there.filter((one) => one.name.endsWith(name.slice(1))).map((one) => one.name) : [name],
    )
    const texts = await Promise.all(files.map((name) => this.#read(name)))
    if (kind === 'node' || kind === 'php') return texts.map(packagesOf).join('\n')
    return texts.map((text) => (text ?? '').replaceAll(/^[ \t]*(?:#|\/\/).*$/gm, '')).join('\n')
  }

  /** Those nearer to the top of the project first. */
  async #readSources(ending: RegExp): Promise<string[]> {
    const files: string[] = []
    const directories = ['']
    for (let index = 0; index < Math.min(directories.length, most.directories); index += 1) {
      const directory = directories[index] ?? ''
      const entries = await this.#list(directory)
      if (entries.some(({ name }) => installed.test(name))) continue
      for (const entry of entries) {
        const path = directory === '' ? entry.name : `${directory}/${entry.name}`
        if (entry.isFile() && ending.test(entry.name)) files.push(path)
        if (entry.isDirectory() && !foreign.test(entry.name) && path.split('/').length <= most.depth)
          directories.push(path)
      }
    }
    const texts = await Promise.all(files.slice(0, most.files).map((path) => this.#read(path)))
    // Within one line: a file of empty lines is not read again from each of them.
    return texts.map((text) => (text ?? '').replaceAll(/^[ \t]*(?:#|\/\/|\/\*|\*).*$/gm, ''))
  }

  /** Links are neither files nor directories here. */
  async #list(directory: string) {
    return readdir(join(this.#directory, directory), { withFileTypes: true }).catch(() => [])
  }
}

/** A line for each package that a package.json or composer.json names. */
function packagesOf(text: string | undefined): string {
  if (text === undefined) return ''
  const json = JSON.parse(text) as Record<string, Record<string, unknown> | undefined>
  const lists = [json.dependencies, json.devDependencies, json.require, json['require-dev']]
  return lists.flatMap((list) => Object.keys(list ?? {})).join('\n')
}

/** `next` is no word of `next-auth`, nor of `@acme/next`. */
function hasWord(text: string, word: string): boolean {
  const escaped = word.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&')
  return new RegExp(`(?:^|[^\\w@/.-])${escaped}(?![\\w/-])`, 'im').test(text)
}
