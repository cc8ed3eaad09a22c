// Owns what one entry of `dependencies` in moat.yaml means: `node@22`, `git`, `npm:typescript@5`.
import { exitCodes, MoatError } from '../errors.js'
import { nearestName } from '../routing/nearest-name.js'
import { knownServices } from '../services/catalogue.js'
import { type KnownRuntime, knownTools, type PackageKind } from './registry.js'

export interface RuntimeDependency {
  kind: 'runtime'
  runtime: KnownRuntime
  /** As written in moat.yaml. */
  text: string
  version: string
}

export interface PackageDependency {
  kind: PackageKind
  /** Programs to link to, by the name they should have. */
  links: Record<string, string>
  packages: string[]
  /** As written in moat.yaml. */
  text: string
  /** The newest if left out. */
  version?: string
}

export type Dependency = PackageDependency | RuntimeDependency

interface PackageForm {
  example: string
  name: RegExp
  /** Absent where the version cannot be chosen. */
  version?: RegExp
}

/** Names and versions are put into shell commands: nothing a shell takes for its own may pass. */
const forms: Readonly<Record<PackageKind, PackageForm>> = {
  apt: { example: 'apt:libpq-dev', name: /^[a-z0-9][a-z0-9+.-]+$/ },
  cargo: { example: 'cargo:ripgrep@14.1.1', name: /^[A-Za-z][\w-]*$/, version: /^\d[\w.+-]*$/ },
  go: {
    example: 'go:golang.org/x/tools/gopls@v0.18.1',
    name: /^[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+(\/[\w.~-]+)+$/,
    version: /^(v\d[\w.+-]*|latest|[0-9a-f]{7,40})$/,
  },
  npm: {
    example: 'npm:typescript@5.9',
    name: /^(@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][A-Za-z0-9._~-]*$/,
    version: /^\w[\w.+-]*$/,
  },
  pip: {
    example: 'pip:ruff@0.12.0',
    name: /^[A-Za-z0-9][\w.-]*(\[[\w,.-]+\])?$/,
    version: /^\d[\w.+!]*$/,
  },
}

/** `22`, `3.12`, `1.24.3`: what tags of images start with, and nothing that moves such as `lts`. */
const runtimeVersion = /^\d+(\.\d+){0,2}$/

/** What `text` asks for. Throws CONFIG_INVALID for what moat does not know, and for a version it cannot choose. */
export function parseDependency(text: string): Dependency {
  const prefixed = /^(?<kind>[a-z]+):(?<rest>.*)$/s.exec(text)?.groups
  if (prefixed && Object.hasOwn(forms, prefixed.kind ?? '')) {
    return parsePrefixed(prefixed.kind as PackageKind, prefixed.rest ?? '', text)
  }
  if (prefixed) throw unknownPrefix(text, prefixed.kind ?? '')
  const [, name = '', version] = /^([^@]+)(?:@(.*))?$/s.exec(text) ?? []
  const tool = knownTools().get(name)
  if (name === '' || version === '' || /\s/.test(text)) {
    throw invalid(`${JSON.stringify(text)} is not a dependency: write a name, or name@version, e.g. node@22.`)
  }
  if (!tool) throw unknownTool(name, version)
  if (tool.kind !== 'runtime') {
    return { kind: tool.kind, links: tool.links, packages: tool.packages, text, ...checked(tool.kind, version, text) }
  }
  if (version !== undefined && !runtimeVersion.test(version)) {
    const example = `${name}@${tool.defaultVersion}`
    throw invalid(`"${text}" has no version number: write digits and dots, e.g. ${example}.`)
  }
  return { kind: 'runtime', runtime: tool, text, version: version ?? tool.defaultVersion }
}

function parsePrefixed(kind: PackageKind, rest: string, text: string): PackageDependency {
  // The first character may be the @ of a scope.
  const at = rest.indexOf('@', 1)
  const name = at < 0 ? rest : rest.slice(0, at)
  if (!forms[kind].name.test(name)) {
    throw invalid(
      `${JSON.stringify(text)} is not the name of ${kind === 'npm' || kind === 'apt' ? 'an' : 'a'} ${kind} package: write, for example, ${forms[kind].example}.`,
    )
  }
  return { kind, links: {}, packages: [name], text, ...checked(kind, at < 0 ? undefined : rest.slice(at + 1), text) }
}

function checked(kind: PackageKind, version: string | undefined, text: string): { version?: string } {
  if (version === undefined) return {}
  const { example, version: allowed } = forms[kind]
  if (!allowed) {
    const bare = text.slice(0, text.indexOf('@'))
    throw invalid(`"${text}" is a Debian package, whose version Debian chooses: write "${bare}".`)
  }
  if (allowed.test(version)) return { version }
  throw invalid(`${JSON.stringify(text)} has a version that cannot be chosen: write, for example, ${example}.`)
}

function unknownPrefix(text: string, prefix: string): MoatError {
  if (prefix === 'docker')
    return invalid(
      `${JSON.stringify(text)} is not for this moat: it gives no agent a container engine, neither yours nor another.`,
    )
  const kinds = Object.keys(forms)
  const nearest = nearestName(prefix, kinds, 2)
  const hint = nearest ? `did you mean "${nearest}:"?` : `the kinds are ${kinds.join(', ')}.`
  return invalid(`${JSON.stringify(text)} has a prefix that moat does not know; ${hint}`)
}

/** For a name that no dependency has, with the version that was asked for. */
export function unknownTool(name: string, version?: string): MoatError {
  const service = knownServices().get(name)
  if (service) {
    const example = `services: {${name}: ${version ?? service.version}}`
    return invalid(`"${name}" is a service, with a container of its own beside the agent's: write ${example}.`)
  }
  const nearest = nearestName(name, [...knownTools().keys()])
  const hint = nearest ? `; did you mean "${nearest}"?` : '.'
  return invalid(`${JSON.stringify(name)} is not a dependency that moat knows${hint}`, [
    'moat deps list',
    `or name the package: apt:${name}, npm:${name}, pip:${name}, cargo:${name}`,
  ])
}

function invalid(message: string, suggestions: string[] = ['moat deps list']): MoatError {
  return new MoatError('CONFIG_INVALID', message, { exit: exitCodes.usage, suggestions })
}
