// Owns what package.json, and the files beside it, say about how a project is run.
import { suggestDnsLabel } from '../routing/dns-label.js'
import { chooseVersion, firstLine, toolVersion } from './choose-version.js'
import { type Framework, frameworks } from './frameworks.js'
import { type PackageJson, readPackageJson } from './package-json.js'
import type { InstallStep, Project, ReadProjectFile } from './project.js'
import { commandsIn, serverPort } from './server-port.js'

interface Manager {
  dependencies: string[]
  install?: InstallStep
  name: string
}

export async function detectNode(read: ReadProjectFile): Promise<Project | undefined> {
  const json = readPackageJson(await read('package.json'))
  if (!json) return undefined
  const framework = frameworks.find(({ name }) => Object.hasOwn(json.packages, name))
  const script = ['dev', 'start', 'serve'].find((name) => json.scripts[name] !== undefined)
  const line = json.scripts[script ?? ''] ?? ''
  const version = chooseVersion('node', [...(await pinnedVersions(read)), ...json.nodeVersions])
  const manager = await findManager(json, Number(version), read)
  const name = suggestDnsLabel((json.name ?? '').replace(/^@[^/]*\//, ''))
  const command = script && runScript(manager.name, script, listenArguments(line, framework))
  return {
    dependencies: [`node@${version}`, ...manager.dependencies],
    evidence: ['package.json', ...(framework ? [framework.name] : [])],
    port: serverPort(line, framework && programOf(framework)) ?? framework?.port ?? 3000,
    ...(command && { command }),
    ...(manager.install && { install: manager.install }),
    ...(name !== undefined && { name }),
  }
}

async function pinnedVersions(read: ReadProjectFile): Promise<(string | undefined)[]> {
  const [nvmrc, nodeVersion, toolVersions] = await Promise.all(['.nvmrc', '.node-version', '.tool-versions'].map(read))
  return [firstLine(nvmrc), firstLine(nodeVersion), toolVersion(toolVersions, 'nodejs', 'node')]
}

/** Lock files, and what installs what they say. */
const installs: { command: string; lock: string; manager: string }[] = [
  { command: 'bun install --frozen-lockfile', lock: 'bun.lock', manager: 'bun' },
  { command: 'bun install --frozen-lockfile', lock: 'bun.lockb', manager: 'bun' },
  { command: 'pnpm install --frozen-lockfile', lock: 'pnpm-lock.yaml', manager: 'pnpm' },
  { command: 'yarn install --frozen-lockfile', lock: 'yarn.lock', manager: 'yarn' },
  { command: 'npm ci', lock: 'package-lock.json', manager: 'npm' },
  { command: 'npm ci', lock: 'npm-shrinkwrap.json', manager: 'npm' },
]

async function findManager(json: PackageJson, node: number, read: ReadProjectFile): Promise<Manager> {
  const named = json.packageManager
  const found = await Promise.all(
    installs
      .filter(({ manager }) => named === undefined || manager === named.name)
      .map(async (install) => ({ ...install, text: await read(install.lock) })),
  )
  const locked = found.find(({ text }) => text !== undefined)
  const name = named?.name ?? locked?.manager ?? 'npm'
  const install = toInstall(json, name, locked)
  const own = { name, ...(install && { install }) }
  if (name === 'npm') return { ...own, dependencies: [] }
  const lock = locked?.text ?? ''
  if (name === 'yarn') return withYarn(own, named?.version ?? (/^__metadata:/m.test(lock) ? '4' : undefined), read)
  const version = named?.version ?? (name === 'pnpm' ? pnpmFor(lock, node) : undefined)
  return { ...own, dependencies: [version === undefined ? name : `${name}@${version}`] }
}

function toInstall(
  { hasPackages }: PackageJson,
  manager: string,
  locked: { command: string; lock: string } | undefined,
): InstallStep | undefined {
  if (!locked) return hasPackages ? { command: `${manager} install`, from: 'package.json' } : undefined
  const { command, lock } = locked
  // npm ci begins by removing all there is; npm writes this file last.
  const done = command === 'npm ci' ? { done: `[ node_modules/.package-lock.json -nt ${lock} ]` } : {}
  return { command, from: lock, ...done }
}

/** The package `yarn` is version 1, which goes on with what the project has of a later one; else that is another package. */
async function withYarn(own: Omit<Manager, 'dependencies'>, version: string | undefined, read: ReadProjectFile) {
  if (version === undefined || version.startsWith('1')) return { ...own, dependencies: [withVersion('yarn', version)] }
  const immutable = own.install && {
    ...own.install,
    command: own.install.command.replace('--frozen-lockfile', '--immutable'),
  }
  const brought = /^yarnPath:/m.test((await read('.yarnrc.yml')) ?? '')
  const dependency = brought ? 'yarn' : withVersion('yarn-berry', version)
  return { ...own, dependencies: [dependency], ...(immutable && { install: immutable }) }
}

/** The newest pnpm reads neither old lock files nor runs on an old Node. */
function pnpmFor(lock: string, node: number): string | undefined {
  const format = Number(/^lockfileVersion:\s*['"]?(\d+)/m.exec(lock)?.[1] ?? 9)
  if (format < 6) return '7'
  if (format < 9 || node < 18) return '8'
  return node < 22 ? '9' : undefined
}

function withVersion(name: string, version: string | undefined): string {
  return version === undefined ? name : `${name}@${version}`
}

/** npm needs `--` before arguments for the script; the others pass them on. */
function runScript(manager: string, script: string, args: string[]): string[] {
  return [manager, 'run', script, ...(args.length > 0 && manager === 'npm' ? ['--'] : []), ...args]
}

/** They are put after the script's last command, so only where that is the framework's. */
function listenArguments(line: string, framework: Framework | undefined): string[] {
  if (!framework?.listen) return []
  const last = commandsIn(line).at(-1) ?? ''
  return last.split(/[\s/]+/).includes(programOf(framework)) && !/\s--host\b/.test(last) ? framework.listen : []
}

function programOf({ name, program }: Framework): string {
  return program ?? name
}
