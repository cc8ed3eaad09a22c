// Owns the list of powers: what in a moat.yaml reaches beyond the box, and what a rule of config.yaml says of it. Whatever
// is not found by an entry of this table is harmless: it stays in the container and its workspace.
import { homedir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { hidesSystem } from '../config/container-target.js'
import type { LoadedMoatYaml } from '../config/moat-yaml.js'
import { isWorkspaceItself, type Mount } from '../config/mount.js'
import { contains, realPlace } from '../config/real-path.js'
import type { PowerKey } from '../config/settings-file.js'
import type { DeclaredVolume } from '../config/volumes-schema.js'
import type { YamlPath } from '../config/yaml-source.js'
import { coversRule, rulePowers, touchesRule } from './network-rules.js'
import type { AskedPower, Power } from './power.js'

/** What an agent is to be, as far as powers are looked for in it. */
export interface PowerSources {
  /** The repository's own directory, where the workspace is a checkout or a repository. */
  gitDirectory?: string | undefined
  /** True where that lies in the workspace, or says that this is its checkout. */
  gitIsOwn?: boolean
  /** Ports on 127.0.0.1 that endpoints ask for by number. */
  hostPorts: readonly { endpoint: string; hostPort: number }[]
  loaded: Pick<LoadedMoatYaml, 'config' | 'locate'>
  /** As `github`, or `github@work` of another profile; `own` when a flag names it. */
  grants?: readonly { name: string; own: boolean }[]
  /** Given by flags. */
  ownMounts: readonly Mount[]
  /** `--allow`. */
  ownRules?: readonly string[]
  /** Variables that the container sees, and where their values are: files by their real paths. */
  secrets?: readonly { name: string; value: string }[]
  /** With the images that they run. */
  services?: readonly { image: string; name: string }[]
  /** True when an agent about which moat.yaml says nothing may reach nothing. */
  strictByDefault?: boolean
  /** As they will be: those that are of a repository, and so reach beyond the workspace. */
  volumes?: readonly (DeclaredVolume & { place: string })[]
  /** Real path. */
  workspace: string
}

interface Found {
  name: string
  own?: true
  path: YamlPath
  value: string
}

interface PowerKind {
  find(sources: PowerSources): Found[]
  /** True when a pattern of `never` is about the power. Default: as `matches`. */
  forbids?(pattern: string, power: Power): Promise<boolean>
  /** True when a pattern of `approvals` is about the power. */
  matches(pattern: string, power: Power): Promise<boolean> | boolean
}

const kinds: Readonly<Record<PowerKey, PowerKind>> = {
  base_image: {
    find: ({ loaded: { config } }) =>
      config.baseImage === undefined ? [] : [{ name: 'base_image', path: ['base_image'], value: config.baseImage }],
    matches: (pattern, { value }) => glob(pattern, value),
  },
  dependencies: {
    // A name alone is a tool of moat's own list.
    find: ({ loaded: { config } }) =>
      config.dependencies.flatMap((value, index) =>
        value.includes(':') ? [{ name: 'dependencies', path: ['dependencies', index], value }] : [],
      ),
    matches: (pattern, { value }) => glob(pattern, value),
  },
  dns: {
    find: ({ loaded: { config } }) =>
      (config.container.dns ?? []).map((value, index) => ({
        name: 'container.dns',
        path: ['container', 'dns', index],
        value,
      })),
    matches: wholly,
  },
  grants: {
    find: ({ grants = [] }) =>
      grants.map(({ name, own }, index) => {
        if (own) return { name: '--grant', own: true as const, path: [], value: name }
        return { name: 'grants', path: ['grants', index], value: name }
      }),
    matches: wholly,
  },
  hooks: {
    find: ({ loaded: { config } }) => [
      ...scripts('post_build_root', config.hooks.postBuildRoot),
      ...scripts('post_build', config.hooks.postBuild),
      ...scripts('pre_run', config.hooks.preRun),
    ],
    // Not a pattern: `npm *` would also fit `npm ci; curl … | sh`.
    matches: wholly,
  },
  host_ports: {
    find: ({ hostPorts }) =>
      hostPorts.map(({ endpoint, hostPort }) => ({
        name: `ports.${endpoint}`,
        path: ['ports', endpoint],
        value: String(hostPort),
      })),
    matches: wholly,
  },
  mounts: {
    find: ({ gitDirectory, gitIsOwn = true, loaded: { config }, ownMounts, workspace }) => [
      // By a file of the workspace, which an agent may have made.
      ...(gitDirectory === undefined || gitIsOwn
        ? []
        : [
            {
              name: '.git',
              path: [],
              value: mountText({ readOnly: false, source: gitDirectory, target: gitDirectory }),
            },
          ]),
      ...config.mounts.flatMap((mount, index) =>
        isWorkspaceItself(mount) || isHarmless(mount, workspace, gitDirectory)
          ? []
          : [{ name: 'mounts', path: ['mounts', index], value: mountText(mount) }],
      ),
      ...ownMounts.map((mount) => ({ name: '--mount', own: true as const, path: [], value: mountText(mount) })),
    ],
    forbids: async (pattern, { value }) => {
      if (pattern === '*') return true
      const [directory, source] = [await ruleDirectory(pattern), sourceOf(value)]
      // What contains it gives it away too.
      return contains(directory, source) || contains(source, directory)
    },
    matches: async (pattern, { value }) => {
      if (pattern === '*') return true
      const readOnly = pattern.endsWith(':ro')
      if (readOnly && !value.endsWith(':ro')) return false
      return contains(await ruleDirectory(pattern.replace(/:ro$/, '')), sourceOf(value))
    },
  },
  network: {
    // What a strict default keeps from every agent. Without one, rules only take away, and may still be of what is forbidden.
    find: ({ loaded: { config }, ownRules = [], strictByDefault }) => [
      ...(config.network?.policy === 'permissive'
        ? [{ name: 'network.policy', path: ['network', 'policy'], value: 'permissive', ...unasked(strictByDefault) }]
        : []),
      ...rulePowers(config.network?.rules ?? []).map(({ index, value }) => ({
        name: 'network.rules',
        path: ['network', 'rules', index],
        value,
        ...unasked(strictByDefault),
      })),
      ...ownRules.map((value) => ({ name: '--allow', own: true as const, path: [], value })),
    ],
    forbids: async (pattern, { value }) => touchesRule(pattern, value),
    matches: (pattern, { value }) => coversRule(pattern, value),
  },
  network_host: {
    find: ({ loaded: { config } }) => listed('host', config.network?.host),
    matches: wholly,
  },
  peers: {
    find: ({ loaded: { config } }) => listed('peers', config.network?.peers),
    matches: wholly,
  },
  runtime: {
    // gVisor only takes away; any other may be less of a wall than the engine's own choice.
    find: ({ loaded: { config } }) => {
      const { runtime } = config.container
      if (runtime === undefined || runtime === 'runsc') return []
      return [{ name: 'container.runtime', path: ['container', 'runtime'], value: runtime }]
    },
    matches: wholly,
  },
  secrets: {
    find: ({ secrets = [] }) =>
      secrets.map(({ name, value }) => ({ name: `secrets.${name}`, path: ['secrets', name], value })),
    matches: (pattern, { value }) => glob(pattern, value),
  },
  services: {
    find: ({ services = [] }) =>
      services.map(({ image, name }) => ({ name: `services.${name}`, path: ['services', name], value: image })),
    matches: (pattern, { value }) => glob(pattern, value),
  },
  volumes: {
    // One of the workspace's own holds what its agents have put there, and nothing of anybody else's.
    find: ({ volumes = [], workspace }) =>
      volumes.flatMap(({ name, place, readOnly, target }, index) =>
        place === workspace
          ? []
          : [
              {
                name: 'volumes',
                path: ['volumes', index],
                value: `${name} of ${place}:${target}:${readOnly ? 'ro' : 'rw'}`,
              },
            ],
      ),
    matches: (pattern, { value }) => pattern === '*' || value.startsWith(`${pattern} of `),
  },
}

/** All that moat.yaml, and flags, ask for beyond the box, in the order of the table. */
export function powersOf(sources: PowerSources): AskedPower[] {
  const found = (Object.keys(kinds) as PowerKey[]).flatMap((key) =>
    kinds[key].find(sources).map(({ name, own = false, path, value }) => ({
      key,
      name,
      own,
      place: path.length === 0 ? name : sources.loaded.locate(path),
      value,
    })),
  )
  return found.filter(
    (power, index) => found.findIndex(({ name, value }) => name === power.name && value === power.value) === index,
  )
}

/** The pattern of `approvals` that allows the power, or of `never` that forbids it; undefined if none does. */
export async function ruleFor(
  power: Power,
  patterns: readonly string[] = [],
  meaning: 'approvals' | 'never',
): Promise<string | undefined> {
  const { forbids, matches } = kinds[power.key]
  for (const pattern of patterns) {
    if (await (meaning === 'never' && forbids ? forbids(pattern, power) : matches(pattern, power))) return pattern
  }
  return undefined
}

function unasked(strictByDefault: boolean | undefined): { own?: true } {
  return strictByDefault ? {} : { own: true }
}

function listed(name: 'host' | 'peers', values: readonly (number | string)[] = []): Found[] {
  return values.map((value, index) => ({
    name: `network.${name}`,
    path: ['network', name, index],
    value: String(value),
  }))
}

function scripts(name: string, all: readonly string[]): Found[] {
  return all.map((value, index) => ({
    name: `hooks.${name}`,
    path: all.length === 1 ? ['hooks', name] : ['hooks', name, index],
    value,
  }))
}

/**
 * What is mounted from the workspace is the agent's anyway. But for the whole of it and for git's own files, which may be
 * kept from the agent where the workspace is mounted.
 */
function isHarmless({ readOnly, source, target }: Mount, workspace: string, git?: string): boolean {
  if (!contains(workspace, source)) return false
  // What the agent writes would be run by root.
  if (hidesSystem(target)) return false
  // Not always called `.git`: a bare repository's are the workspace's, and a .git file names any place.
  if (!readOnly && git !== undefined && (contains(git, source) || contains(source, git))) return false
  const parts = relative(workspace, source).toLowerCase().split(sep)
  return readOnly || (source !== workspace && !parts.includes('.git'))
}

function mountText({ readOnly, source, target }: Mount): string {
  return `${source}:${target}:${readOnly ? 'ro' : 'rw'}`
}

/** A source may contain colons, target and mode cannot. */
function sourceOf(value: string): string {
  return value.split(':').slice(0, -2).join(':')
}

function ruleDirectory(pattern: string): Promise<string> {
  return realPlace(pattern === '~' || pattern.startsWith('~/') ? join(homedir(), pattern.slice(1)) : pattern)
}

function wholly(pattern: string, { value }: Power): boolean {
  return pattern === '*' || pattern === value
}

/** `*` stands for any characters. */
function glob(pattern: string, value: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(value)
}
