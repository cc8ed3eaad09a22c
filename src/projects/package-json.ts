// Owns reading a package.json, which anybody may have written: what is not as npm wants it says nothing. Pure.

export interface PackageJson {
  /** True when there is something to install. */
  hasPackages: boolean
  name?: string
  /** Of Node: by volta, `devEngines` and `engines`, each as far as it is text. */
  nodeVersions: string[]
  packageManager?: { name: string; version?: string }
  /** What it depends on, directly. */
  packages: Record<string, unknown>
  scripts: Record<string, string>
}

type Json = Record<string, unknown>

/** Undefined for what is not JSON, or no object: npm could not run it either, and tells its author why. */
export function readPackageJson(text: string | undefined): PackageJson | undefined {
  const json = parse(text)
  if (!json) return undefined
  const packages = { ...object(json.dependencies), ...object(json.devDependencies) }
  const manager = /^(npm|pnpm|yarn|bun)@(\d+(?:\.\d+){0,2})?/.exec(word(json.packageManager) ?? '')
  const scripts = Object.entries(object(json.scripts)).flatMap(([name, script]) =>
    typeof script === 'string' ? [[name, script]] : [],
  )
  const name = word(json.name)
  return {
    hasPackages: [packages, object(json.optionalDependencies), object(json.workspaces)].some(
      (part) => Object.keys(part).length > 0,
    ),
    ...(name !== undefined && { name }),
    nodeVersions: nodeVersions(json),
    ...(manager?.[1] !== undefined && {
      packageManager: { name: manager[1], ...(manager[2] !== undefined && { version: manager[2] }) },
    }),
    packages,
    scripts: Object.fromEntries(scripts),
  }
}

function nodeVersions({ devEngines, engines, volta }: Json): string[] {
  const runtimes = [object(devEngines).runtime].flat().map(object)
  const said = [
    object(volta).node,
    runtimes.find(({ name }) => name === 'node')?.version,
    object(engines).node,
    // As npm took it long ago: "node >= 0.10", or a list of such.
    ...[engines].flat().map((engine) => /^node\b\s*(.*)$/.exec(word(engine) ?? '')?.[1]),
  ]
  return said.map(word).filter((version) => version !== undefined)
}

function parse(text: string | undefined): Json | undefined {
  try {
    const json: unknown = JSON.parse(text ?? '')
    return json instanceof Object && !Array.isArray(json) ? (json as Json) : undefined
  } catch {
    return undefined
  }
}

/** Lists are objects too: workspaces are one. */
function object(value: unknown): Json {
  return value instanceof Object ? (value as Json) : {}
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}
