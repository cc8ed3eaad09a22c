// Owns what package.json says about how a project is run.
import { suggestDnsLabel } from '../routing/dns-label.js'
import { frameworks } from './frameworks.js'
import type { Project, ReadProjectFile } from './project.js'

interface PackageJson {
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  engines?: { node?: string }
  name?: string
  packageManager?: string
  scripts?: Record<string, string>
}

export async function detectNode(read: ReadProjectFile): Promise<Project | undefined> {
  const text = await read('package.json')
  const json = text === undefined ? undefined : parse(text)
  if (!json) return undefined
  const packages = { ...json.dependencies, ...json.devDependencies }
  const framework = frameworks.find(({ name }) => Object.hasOwn(packages, name))
  const script = ['dev', 'start', 'serve'].find((name) => json.scripts?.[name] !== undefined)
  const manager = await packageManager(json, read)
  const version = /(\d+)/.exec(json.engines?.node ?? '')?.[1] ?? '22'
  const name = suggestDnsLabel((json.name ?? '').replace(/^@[^/]*\//, ''))
  const command = script && runScript(manager, script, framework?.listen ?? [])
  return {
    dependencies: [`node@${version}`, ...(manager === 'npm' ? [] : [manager])],
    evidence: ['package.json', ...(framework ? [framework.name] : [])],
    port: portIn(json.scripts?.[script ?? '']) ?? framework?.port ?? 3000,
    ...(command && { command }),
    ...(name !== undefined && { name }),
  }
}

function parse(text: string): PackageJson | undefined {
  try {
    return JSON.parse(text) as PackageJson
  } catch {
    // Not a project npm could run either; the file's author hears of it from npm.
    return undefined
  }
}

async function packageManager(json: PackageJson, read: ReadProjectFile): Promise<string> {
  const named = /^(npm|pnpm|yarn|bun)@/.exec(json.packageManager ?? '')?.[1]
  if (named) return named
  const locks = { 'bun.lock': 'bun', 'pnpm-lock.yaml': 'pnpm', 'yarn.lock': 'yarn' }
  for (const [lock, manager] of Object.entries(locks)) if ((await read(lock)) !== undefined) return manager
  return 'npm'
}

/** npm needs `--` before arguments for the script; the others pass them on. */
function runScript(manager: string, script: string, args: string[]): string[] {
  return [manager, 'run', script, ...(args.length > 0 && manager === 'npm' ? ['--'] : []), ...args]
}

function portIn(script: string | undefined): number | undefined {
  const port = /(?:--port|-p|\bPORT)[ =](\d{2,5})\b/.exec(script ?? '')?.[1]
  return port === undefined ? undefined : Number(port)
}
