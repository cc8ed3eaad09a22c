// Owns what an agent's image is made of: which image to start from, and what to put on top. Pure.
import { throwAll } from '../config/problems.js'
import { visible } from '../config/visible.js'
import { exitCodes, MoatError } from '../errors.js'
import { type Dependency, type PackageDependency, parseDependency, type RuntimeDependency } from './dependency.js'
import { knownRuntime, type PackageKind } from './registry.js'

export const defaultImage = 'debian:bookworm-slim'

export interface ImageRequest {
  /** Replaces the image that moat would start from. */
  baseImage?: string | undefined
  dependencies: readonly string[]
  /** More of them, in whatever version: one that `dependencies` has is that one. */
  implied?: readonly string[]
  /** Scripts for sh, in order. */
  hooks: { postBuild: readonly string[]; postBuildRoot: readonly string[] }
  /** Where the dependency at an index stands, for errors: `moat.yaml:2:16`. */
  place?: (index: number) => string
}

export interface ImagePlan {
  base: string
  /** True when the user chose the base, so that nothing is known of what it has. */
  customBase: boolean
  /** Debian packages, sorted. */
  debianPackages: string[]
  hooks: { postBuild: readonly string[]; postBuildRoot: readonly string[] }
  /** Programs to link to, by the name they should have. */
  links: Record<string, string>
  /** Packages of the languages' own registries. */
  packages: (PackageDependency & { kind: Exclude<PackageKind, 'apt'> })[]
  /** Runtimes to copy in, as the base lacks them. */
  runtimes: RuntimeDependency[]
}

/** The runtime that installs and runs packages of a kind. */
export const runtimeOfKind: Readonly<Record<Exclude<PackageKind, 'apt'>, string>> = {
  cargo: 'rust',
  go: 'go',
  npm: 'node',
  pip: 'python',
}

/** Throws CONFIG_INVALID for a dependency that moat does not know, or that is listed twice with different versions. */
export function planImage(request: ImageRequest): ImagePlan {
  const { baseImage, hooks } = request
  const dependencies = readDependencies(request)
  const named = dependencies.filter((dependency) => dependency.kind === 'runtime')
  const packages = dependencies.filter(isLanguagePackage)
  // What a base_image has is for its owner to say; the build tells when it lacks a package manager.
  const implied = baseImage === undefined ? impliedRuntimes(packages, named) : []
  const base = chooseBase(baseImage, named, implied)
  const runtimes = [...named, ...implied].filter((runtime) => runtime !== base.runtime)
  const debian = dependencies.filter(({ kind }) => kind === 'apt') as PackageDependency[]
  const debianPackages = [
    ...runtimes.flatMap(({ runtime }) => runtime.copy.apt),
    ...debian.flatMap(({ packages }) => packages),
  ]
  return {
    base: base.image,
    customBase: baseImage !== undefined,
    debianPackages: [...new Set(debianPackages)].toSorted(),
    hooks,
    links: Object.assign({}, ...debian.map(({ links }) => links)),
    packages,
    runtimes,
  }
}

/** False when the base is the agent's image as it stands. */
export function needsBuild({ debianPackages, hooks, packages, runtimes }: ImagePlan): boolean {
  return [debianPackages, hooks.postBuild, hooks.postBuildRoot, packages, runtimes].some(({ length }) => length > 0)
}

/** Images the build reads, which the engine must have. */
export function sourceImages({ base, runtimes }: ImagePlan): string[] {
  return [...new Set([base, ...runtimes.map(copySource)])]
}

/** The image a runtime is copied from. */
export function copySource({ runtime, version }: RuntimeDependency): string {
  return runtime.copy.from.replace('{version}', version)
}

function chooseBase(
  baseImage: string | undefined,
  named: RuntimeDependency[],
  implied: RuntimeDependency[],
): { image: string; runtime?: RuntimeDependency } {
  if (baseImage !== undefined) return { image: baseImage }
  const candidates = named.length > 0 ? named : implied
  const [runtime] = candidates
  if (!runtime || candidates.length > 1) return { image: defaultImage }
  return { image: runtime.runtime.image.replace('{version}', runtime.version), runtime }
}

function impliedRuntimes(
  packages: { kind: Exclude<PackageKind, 'apt'> }[],
  named: RuntimeDependency[],
): RuntimeDependency[] {
  const needed = new Set(packages.map(({ kind }) => runtimeOfKind[kind]))
  for (const { runtime } of named) needed.delete(runtime.name)
  return [...needed].map((name) => {
    const runtime = knownRuntime(name)
    return { kind: 'runtime', runtime, text: name, version: runtime.defaultVersion }
  })
}

function isLanguagePackage(dependency: Dependency): dependency is ImagePlan['packages'][number] {
  return dependency.kind !== 'runtime' && dependency.kind !== 'apt'
}

/** Each dependency once, in the order of the file. */
function readDependencies({ dependencies, implied = [], place }: ImageRequest): Dependency[] {
  const seen = new Map<string, Dependency>()
  const errors: unknown[] = []
  for (const [index, text] of dependencies.entries()) {
    try {
      const dependency = located(() => parseDependency(text), place?.(index))
      const key = identity(dependency)
      const earlier = seen.get(key)
      if (!earlier) seen.set(key, dependency)
      else if (earlier.version !== dependency.version) located(() => refuseBoth(earlier, dependency), place?.(index))
    } catch (error) {
      errors.push(error)
    }
  }
  throwAll(errors)
  for (const dependency of implied.map(parseDependency)) {
    const key = identity(dependency)
    if (!seen.has(key)) seen.set(key, dependency)
  }
  return [...seen.values()]
}

function identity(dependency: Dependency): string {
  return dependency.kind === 'runtime'
    ? `runtime:${dependency.runtime.name}`
    : `${dependency.kind}:${dependency.packages.join(' ')}`
}

function refuseBoth(first: Dependency, second: Dependency): never {
  throw new MoatError(
    'CONFIG_INVALID',
    `${first.text} and ${second.text} cannot both be installed: keep one of them.`,
    {
      exit: exitCodes.usage,
    },
  )
}

function located<T>(action: () => T, place: string | undefined): T {
  try {
    return action()
  } catch (error) {
    if (place === undefined || !(error instanceof MoatError)) throw error
    throw new MoatError(error.code, `${place}: ${visible(error.message)}`, {
      cause: error,
      exit: error.oclif.exit ?? exitCodes.usage,
      ...(error.suggestions && { suggestions: error.suggestions }),
    })
  }
}
