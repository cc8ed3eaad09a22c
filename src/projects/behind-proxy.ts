// Owns what a project's framework needs in order to trust the proxy in front of it: variables, or a line of its own.
import { z } from 'zod'
import { ownData } from '../config/own-data.js'
import { defaultDomain } from '../routing/urls.js'
import { ProjectPackages } from './project-packages.js'
import { projectFiles } from './read-project-file.js'
import { runText } from './run-text.js'

export interface ProxyTrust {
  /** Lines that a person has to add. */
  lines: { line: string; says: string; title: string; to: string }[]
  /** Variables, by the framework that reads them. */
  settings: ProxySetting[]
  /** Frameworks that are there and want nothing more, and why, as a sentence of each. */
  settled: { title: string; why: string }[]
}

export const nothingToTrust: ProxyTrust = { lines: [], settings: [], settled: [] }

export interface ProxySetting {
  /** Only for the agent's command, not for what else runs in its container. */
  ofCommand: boolean
  title: string
  variables: Record<string, string>
}

export interface AskedTrust {
  command: string[]
  /** What hosts end in. */
  domain: string
  /** The endpoint that people go to first. */
  endpoint: string | undefined
  /** What the user sets, which wins. */
  env: Readonly<Record<string, string>>
  /** The agent's own. */
  host: string
  workspace: string
}

/** Made when the file is read. */
function schema() {
  const words = z.string().min(1)
  const common = {
    asks: words.optional(),
    done: words.optional(),
    in: z.enum(['dotnet', 'elixir', 'java', 'node', 'php', 'python', 'ruby']),
    not: words.optional(),
    packages: z.array(words).min(1),
    page: z.url(),
    runs: words.optional(),
    title: words,
    without: z.array(words).default([]),
  }
  return z.record(
    words,
    z.union([
      z.strictObject({
        ...common,
        domain: z.literal('own').optional(),
        of: z.literal('command').optional(),
        set: z.record(words, words),
      }),
      z.strictObject({ ...common, add: words, says: words.default('does not know that its URL is https'), to: words }),
    ]),
  )
}

type Entry = z.infer<ReturnType<typeof schema>>[string]

/** Nothing of the project is run. What cannot be read says nothing. */
export async function proxyTrust(asked: AskedTrust): Promise<ProxyTrust> {
  const packages = new ProjectPackages(asked.workspace)
  const command = await runText(asked.command, projectFiles(asked.workspace)).catch(() => asked.command.join(' '))
  const trust: ProxyTrust = { lines: [], settings: [], settled: [] }
  const known = new Set<string>()
  for (const entry of readEntries()) {
    const { title } = entry
    if (known.has(title) || !(await isThere(entry, packages, command).catch(() => false))) continue
    known.add(title)
    const why = await settledBy(entry, asked, packages)
    if (why !== undefined) {
      trust.settled.push({ title, why })
      continue
    }
    if ('add' in entry) {
      trust.lines.push({
        line: filledIn(entry.add, asked),
        says: filledIn(entry.says, asked),
        title,
        to: entry.to,
      })
      continue
    }
    const variables = Object.entries(entry.set).map(([name, value]) => [name, filledIn(value, asked)])
    trust.settings.push({ ofCommand: entry.of === 'command', title, variables: Object.fromEntries(variables) })
  }
  return trust
}

async function isThere(entry: Entry, packages: ProjectPackages, command: string): Promise<boolean> {
  if (entry.runs !== undefined && !new RegExp(entry.runs).test(command)) return false
  if (entry.not !== undefined && new RegExp(entry.not).test(command)) return false
  if (entry.asks !== undefined && !(await packages.asksBy(entry.in, new RegExp(entry.asks)))) return false
  const isNamed = async (names: string[]) => {
    const answers = await Promise.all(names.map((name) => packages.asksFor(entry.in, name, command)))
    return answers.includes(true)
  }
  return (await isNamed(entry.packages)) && !(await isNamed(entry.without))
}

/** Why an entry's framework wants nothing more; undefined when it does. */
async function settledBy(
  entry: Entry,
  { domain, env }: AskedTrust,
  packages: ProjectPackages,
): Promise<string | undefined> {
  if (entry.done !== undefined && (await packages.mentions(entry.in, entry.done)))
    return `The project's files have ${entry.done}.`
  if ('add' in entry) return undefined
  if (entry.domain === 'own' && domain === defaultDomain) return `It takes hosts below ${domain} as they are.`
  // All of them or none: of settings that belong together, the user's are not completed by others.
  for (const name of Object.keys(entry.set)) {
    if (name in env) return `${name} is set already.`
    if (await packages.sets(name).catch(() => true)) return `A .env file sets ${name}.`
  }
  return undefined
}

function filledIn(line: string, { domain, endpoint, host }: AskedTrust): string {
  const suffix = endpoint === undefined ? '' : `_${endpoint.toUpperCase().replaceAll('-', '_')}`
  const values = { DOMAIN: domain, HOST: host, ORIGIN: `MOAT_ORIGIN${suffix}` }
  return line.replaceAll(/\{(DOMAIN|HOST|ORIGIN)\}/g, (_, name: keyof typeof values) => values[name])
}

function readEntries(): Entry[] {
  return Object.values(schema().parse(ownData('behind-proxy')))
}
