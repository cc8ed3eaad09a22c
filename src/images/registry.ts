// Owns the dependencies moat knows by name: reading data/dependencies.yaml.
import { z } from 'zod'
import { ownData } from '../config/own-data.js'

/** How a runtime is put into an image that is not its own. */
export interface RuntimeCopy {
  /** Debian packages it needs. */
  apt: string[]
  /** Directories for PATH. */
  bin: string[]
  env: Record<string, string>
  /** The image to copy `paths` out of, with `{version}`. */
  from: string
  paths: string[]
  /** Shell command to run after copying; fails when the runtime does not work there. */
  setup: string
}

export type PackageKind = 'apt' | 'cargo' | 'go' | 'npm' | 'pip'

interface KnownTool {
  /** What it is for. */
  for: string
  name: string
}

export interface KnownRuntime extends KnownTool {
  copy: RuntimeCopy
  defaultVersion: string
  /** With `{version}`. */
  image: string
  kind: 'runtime'
}

export interface KnownPackage extends KnownTool {
  kind: PackageKind
  /** Programs to link to, by the name they should have. */
  links: Record<string, string>
  packages: string[]
}

const meaning = () => ({ for: z.string().min(1) })

/** Made when the file is read: few commands ask for it. */
function schema() {
  const names = z.array(z.string().min(1)).min(1)
  const words = z.record(z.string(), z.string().min(1))
  const runtime = z
    .strictObject({
      ...meaning(),
      apt: names.default([]),
      bin: names.default([]),
      env: words.default({}),
      from: z.string().includes('{version}').optional(),
      paths: names,
      runtime: z.string().includes('{version}'),
      setup: z.string().min(1),
      version: z.string().min(1),
    })
    .transform(({ for: purpose, from, runtime: image, version, ...copy }) => ({
      copy: { ...copy, from: from ?? image },
      defaultVersion: version,
      for: purpose,
      image,
      kind: 'runtime' as const,
    }))
  const apt = z
    .strictObject({ ...meaning(), apt: names, links: words.default({}) })
    .transform(({ apt: packages, ...rest }) => ({ ...rest, kind: 'apt' as const, packages }))
  return z.record(
    z.string(),
    z.union([runtime, apt, packageOf('cargo'), packageOf('go'), packageOf('npm'), packageOf('pip')]),
  )
}

function packageOf<K extends PackageKind>(kind: K) {
  return z.strictObject({ ...meaning(), [kind]: z.string().min(1) }).transform((entry) => {
    const { for: purpose, [kind]: name } = entry as Record<string, string> & { for: string }
    return { for: purpose, kind: kind as PackageKind, links: {}, packages: [name ?? ''] }
  })
}

let tools: ReadonlyMap<string, KnownPackage | KnownRuntime> | undefined

/** Every dependency with a name of its own, by that name, in alphabetical order. */
export function knownTools(): ReadonlyMap<string, KnownPackage | KnownRuntime> {
  tools ??= read()
  return tools
}

function read(): ReadonlyMap<string, KnownPackage | KnownRuntime> {
  const entries = Object.entries(schema().parse(ownData('dependencies')))
  return new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, tool]) => [name, { name, ...tool }]))
}

/** The runtime of that name. Throws when the registry has none, which only a broken installation can cause. */
export function knownRuntime(name: string): KnownRuntime {
  const tool = knownTools().get(name)
  if (tool?.kind !== 'runtime') throw new Error(`dependencies.yaml has no runtime ${name}`)
  return tool
}
