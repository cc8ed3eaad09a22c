// Owns finding out that a project's development server will refuse requests at an endpoint's host, and what takes that back.
import { isNewEnough } from '../config/is-new-enough.js'
import { frameworks, type HostCheck } from './frameworks.js'
import type { ReadProjectFile } from './project.js'
import { projectFiles } from './read-project-file.js'
import { withScripts } from './run-text.js'

export interface HostHint {
  /** The file to change. */
  config: string
  endpoint: string
  /** What to write there. */
  line: string
  /** True when the agent's own host is taken as it is. */
  takesAgent: boolean
  /** `Next.js 16.2.12` */
  title: string
}

export interface AskedHosts {
  /** The agent's own host, and whether it leads to the endpoint. */
  agent: string
  command: string[]
  endpoints: { bare: boolean; host: string; name: string; port: number }[]
  workspace: string
}

type Json = Record<string, unknown>

/** Bytes; more is no file of configuration, and a lock file that is not worth its time. */
const mostBytes = 16 * 1024 * 1024
const mostConfig = 64 * 1024

/** The endpoint that the project's development server will refuse; undefined when it takes all, or nothing can be told. */
export async function hostHint(asked: AskedHosts): Promise<HostHint | undefined> {
  // Only advice: whatever cannot be read is no reason to run nothing.
  return findHint(asked).catch(() => undefined)
}

async function findHint({ agent, command, endpoints, workspace }: AskedHosts): Promise<HostHint | undefined> {
  const read = projectFiles(workspace, mostBytes)
  const json = objectIn(await read('package.json'))
  const packages = { ...object(json?.dependencies), ...object(json?.devDependencies) }
  const framework = frameworks.find(({ name }) => Object.hasOwn(packages, name))
  const check = framework?.hosts
  if (!framework || !check?.dev.test(withScripts(command, object(json?.scripts)))) return undefined
  const [only, ...others] = endpoints
  const endpoint = others.length === 0 ? only : endpoints.find(({ port }) => port === framework.port)
  if (!endpoint) return undefined
  const version = await versionOf(framework.name, packages[framework.name], read)
  const rule = version === undefined ? undefined : check.rules.findLast(({ since }) => isNewEnough(version, since))
  if (!rule || version === undefined) return undefined
  if (check.toldSince !== undefined && isNewEnough(version, check.toldSince)) return undefined
  const { file, set } = await readSetting(check, projectFiles(workspace, mostConfig))
  if (set === 'unclear' || (set === undefined && !rule.always)) return undefined
  const taken = (host: string) => [...rule.takes, ...(set ?? [])].some((pattern) => check.matches(pattern, host))
  if (taken(endpoint.host)) return undefined
  const takesAgent = endpoint.bare && taken(agent)
  const patterns = [...(set ?? []), ...(takesAgent ? [] : bareOf(check, agent)), ...check.patterns(agent)]
  const line = check.written(`[${[...new Set(patterns)].map((pattern) => `'${pattern}'`).join(', ')}]`)
  return { config: file, endpoint: endpoint.name, line, takesAgent, title: `${check.title} ${version}` }
}

/** The pattern for the agent's own host, where that for the hosts below it does not take it. */
function bareOf({ matches, patterns }: HostCheck, agent: string): string[] {
  return patterns(agent).some((pattern) => matches(pattern, agent)) ? [] : [agent]
}

/** As installed, else as locked, else as pinned. A range says too little. */
async function versionOf(name: string, range: unknown, read: ReadProjectFile): Promise<string | undefined> {
  const installed = objectIn(await read(`node_modules/${name}/package.json`))?.version
  const locked = async () => {
    const packages = object(objectIn(await read('package-lock.json'))?.packages)
    return object(packages[`node_modules/${name}`]).version
  }
  const found = installed ?? (await locked()) ?? range
  // It is shown to a person, and may come from anywhere.
  return typeof found === 'string' ? /^\d{1,4}\.\d{1,4}\.\d{1,4}(?=$|-)/.exec(found)?.[0] : undefined
}

interface Setting {
  file: string
  /** The patterns; undefined without the setting, `unclear` when they are more than a list of texts. */
  set?: string[] | 'unclear' | undefined
}

async function readSetting({ configs, setting }: HostCheck, read: ReadProjectFile): Promise<Setting> {
  for (const file of configs) {
    const text = await read(file)
    if (text === undefined) continue
    const code = text.replaceAll(/^[ \t]*(?:\/\/|\/\*|\*).*$/gm, '')
    return { file, set: code.includes(setting) ? listIn(code, setting) : undefined }
  }
  return { file: configs[0] ?? '' }
}

function listIn(code: string, setting: string): string[] | 'unclear' {
  const list = new RegExp(`\\b${setting}["']?\\s*:\\s*\\[([^\\][]*)\\]`).exec(code)?.[1]
  const items = list?.split(',').map((item) => item.trim()) ?? ['']
  const texts = items.filter((item, index) => item !== '' || index < items.length - 1)
  const patterns = texts.map((item) => /^(['"])([\w.*-]+)\1$/.exec(item)?.[2])
  return patterns.every((pattern) => pattern !== undefined) && list !== undefined ? (patterns as string[]) : 'unclear'
}

function objectIn(text: string | undefined): Json | undefined {
  return text === undefined ? undefined : object(JSON.parse(text))
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}
