// Owns loading a workspace's moat.yaml into the form the rest of moat uses.
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import type { NetworkPolicy, PolicyMode } from '../egress/policy.js'
import { exitCodes, MoatError } from '../errors.js'
import { checkPartly, parseConfig, problemsOf, type SchemaIssue } from './load-yaml.js'
import { moatYamlKeys, moatYamlSchema } from './moat-yaml-schema.js'
import type { Mount } from './mount.js'
import type { DeclaredRule } from './network-schema.js'
import { otherNotes } from './other-program.js'
import { configError, displayName, formatPosition } from './problems.js'
import { readWorkspaceText } from './read-config.js'
import { type DeclaredService, toService } from './services-schema.js'
import { shellQuote } from './shell-quote.js'
import type { SnapshotTriggers } from './snapshots-schema.js'
import type { DeclaredVolume } from './volumes-schema.js'
import type { YamlPath, YamlSource } from './yaml-source.js'

/** `exec` is run as it stands, `shell` by `sh -c`. */
export type MoatYamlCommand = { argv: [string, ...string[]]; kind: 'exec' } | { kind: 'shell'; script: string }

/** An endpoint as declared. `options` is all but its type, `port` included if it has one. */
export interface EndpointDeclaration {
  name: string
  options: { [option: string]: unknown; port?: number }
  /** Default: `http`. */
  type: string
}

/** A valid moat.yaml. What is left out is absent, or empty where empty means the same. */
export interface MoatYaml {
  baseImage?: string
  command?: MoatYamlCommand
  /** `memory` in MiB; `dns` are IP addresses, `runtime` is a name of the engine's. */
  container: { cpus?: number; dns?: string[]; memory?: number; runtime?: string }
  dependencies: string[]
  /** True when ports that are not declared get URLs too, while something listens there. */
  discover?: true
  /** Values as written: `1.10` stays `1.10`. */
  env: Record<string, string>
  /** Names of grants: credentials that it may use and does not see. */
  grants: string[]
  /** Scripts for `sh -c`, in order. */
  hooks: { postBuild: string[]; postBuildRoot: string[]; preRun: string[] }
  mounts: Mount[]
  name?: string
  network?: DeclaredNetwork
  /** In the order of the file. */
  ports: EndpointDeclaration[]
  /** Variables with where their values are, which the container sees. */
  secrets: Record<string, string>
  /** Each in a container beside the agent's, in the order of the file. */
  services: DeclaredService[]
  /** Whether one is taken before a run, how many are kept at least, and when others are taken. */
  snapshots: { disabled?: true; retention?: number; triggers?: SnapshotTriggers }
  /** Whether the command's stdin stays open, though nobody writes to it. */
  stdin?: 'closed' | 'open'
  /** Directories that the engine keeps from run to run. */
  volumes: DeclaredVolume[]
}

/** `network:` as declared; `policy` is absent where the user's default holds. Rules say where they are written. */
export interface DeclaredNetwork extends Pick<NetworkPolicy, 'host' | 'peers'> {
  policy?: PolicyMode
  rules: DeclaredRule[]
}

export interface LoadedMoatYaml {
  config: MoatYaml
  /** How errors name the file: relative to the working directory when below it, else absolute. */
  displayFile: string
  /** Absolute. */
  file: string
  /** `file:line:column` of the value at a path (of the nearest thing around it, if absent), for later checks. */
  locate(path: YamlPath): string
  /** What a person should know of keys that have no effect. */
  notes: string[]
  /** One CONFIG_INVALID for issues that later checks found. `knownKeys` as for the schema itself. */
  reject(issues: readonly SchemaIssue[], knownKeys: Readonly<Record<string, readonly string[]>>): MoatError
}

/**
 * Loads `directory`/moat.yaml. Throws CONFIG_MISSING, or one CONFIG_INVALID with every problem in it. Sources of mounts
 * are relative to `base`, by default the file's directory.
 */
export async function loadMoatYaml(
  directory: string,
  cwd: string = process.cwd(),
  base?: string,
): Promise<LoadedMoatYaml> {
  const { error, loaded } = await readMoatYaml(directory, cwd, base)
  if (error) throw error
  return loaded
}

/** What is right in a moat.yaml, with one CONFIG_INVALID for the rest, so that all that is wrong can be told at once. */
export interface PartlyLoaded {
  error?: MoatError
  /** Keys that say something, but not as they should. */
  left: readonly string[]
  loaded: LoadedMoatYaml
}

/**
 * Like `loadMoatYaml`, but throws CONFIG_INVALID only where nothing can be made of the file. `missing` makes the text of one that is
 * not there.
 */
export async function readMoatYaml(
  directory: string,
  cwd: string = process.cwd(),
  base?: string,
  missing?: () => Promise<string>,
): Promise<PartlyLoaded> {
  const file = resolve(cwd, directory, 'moat.yaml')
  const displayFile = displayName(file, cwd)
  const text = (await readWorkspaceText(file, displayFile)) ?? (await missing?.())
  if (text === undefined) throw missingFile(file, displayFile)
  const source = parseConfig(displayFile, text)
  if (!source) throw configError(displayFile, text, [{ message: 'the file is empty', offset: 0 }])
  const schema = moatYamlSchema(base ?? dirname(file), source.value)
  const { data, error, left } = await checkPartly(displayFile, text, source, schema, moatYamlKeys)
  if (!data) throw error
  const locate = (path: YamlPath) => formatPosition(displayFile, text, source.offsetOf(path))
  const loaded: LoadedMoatYaml = {
    config: {
      ...toMoatYaml(data, source),
      ...(data.network && { network: toNetwork(data.network, locate) }),
    },
    displayFile,
    file,
    locate,
    notes: otherNotes(data, locate),
    reject: (issues, knownKeys) => {
      const problems = issues.flatMap((issue) => problemsOf(issue, source, knownKeys))
      return configError(displayFile, text, problems)
    },
  }
  return { ...(error && { error }), left, loaded }
}

function toMoatYaml(parsed: z.output<ReturnType<typeof moatYamlSchema>>, source: YamlSource): MoatYaml {
  const { cpus, dns, memory, runtime } = parsed.container ?? {}
  return {
    ...(parsed.base_image !== undefined && { baseImage: parsed.base_image }),
    ...(parsed.command !== undefined && { command: toCommand(parsed.command) }),
    container: {
      ...(cpus !== undefined && { cpus }),
      ...(dns && { dns }),
      ...(memory !== undefined && { memory }),
      ...(runtime !== undefined && { runtime }),
    },
    dependencies: parsed.dependencies ?? [],
    ...(parsed.discover && { discover: true }),
    env: Object.fromEntries(
      Object.entries(parsed.env ?? {}).map(([key, value]) => [key, source.textAt(['env', key]) ?? String(value)]),
    ),
    grants: parsed.grants ?? [],
    hooks: {
      postBuild: parsed.hooks?.post_build ?? [],
      postBuildRoot: parsed.hooks?.post_build_root ?? [],
      preRun: parsed.hooks?.pre_run ?? [],
    },
    mounts: parsed.mounts ?? [],
    ...(parsed.name !== undefined && { name: parsed.name }),
    // The file's order: an object would put names such as "1" first.
    ports: source.keysAt(['ports']).flatMap((name) => {
      const { ports = {} } = parsed
      // Endpoints that are wrong have been left out.
      return Object.hasOwn(ports, name) ? [toEndpoint(name, ports[name] ?? {})] : []
    }),
    secrets: parsed.secrets ?? {},
    services: source.keysAt(['services']).flatMap((name) => {
      const { services = {} } = parsed
      const declared = Object.hasOwn(services, name) ? services[name] : undefined
      return declared ? [toService(name, declared, (path) => source.textAt(path))] : []
    }),
    snapshots: toSnapshots(parsed.snapshots),
    ...(parsed.stdin && { stdin: parsed.stdin }),
    volumes: parsed.volumes ?? [],
  }
}

function toSnapshots(declared: z.output<ReturnType<typeof moatYamlSchema>>['snapshots'] = {}): MoatYaml['snapshots'] {
  const { disabled, retention } = declared
  const { noneBefore, ...triggers } = declared.triggers ?? {}
  return {
    ...((disabled || noneBefore) && { disabled: true }),
    ...(retention !== undefined && { retention }),
    ...(!disabled && Object.keys(triggers).length > 0 && { triggers }),
  }
}

function toNetwork(
  { host = [], peers = [], policy, rules = [] }: NonNullable<z.output<ReturnType<typeof moatYamlSchema>>['network']>,
  locate: (path: YamlPath) => string,
): DeclaredNetwork {
  const placed = rules.map((declared, index): DeclaredRule => {
    const at = ['network', 'rules', index]
    const line = (number: number) => locate([...at, declared.key ?? '', number])
    return {
      ...declared,
      rules: declared.rules.map((rule) => ({
        ...rule,
        ...(rule.paths && { paths: rule.paths.map((path, number) => ({ ...path, place: line(number) })) }),
        place: [locate(at), ...(rule.place === undefined ? [] : [rule.place])].join(', '),
      })),
    }
  })
  return { host, peers, ...(policy && { policy }), rules: placed }
}

function toCommand(command: string | [string, ...string[]]): MoatYamlCommand {
  return typeof command === 'string' ? { kind: 'shell', script: command } : { argv: command, kind: 'exec' }
}

function toEndpoint(
  name: string,
  { port, type, ...rest }: { [option: string]: unknown; port?: number | undefined; type?: string | undefined },
): EndpointDeclaration {
  return { name, options: { ...(port !== undefined && { port }), ...rest }, type: type ?? 'http' }
}

function missingFile(file: string, displayFile: string): MoatError {
  const directory = displayFile === 'moat.yaml' ? dirname(file) : dirname(displayFile)
  return new MoatError('CONFIG_MISSING', `There is no moat.yaml in ${directory}.`, {
    exit: exitCodes.usage,
    suggestions: [displayFile === 'moat.yaml' ? 'moat init' : `moat init ${shellQuote(directory)}`],
  })
}
