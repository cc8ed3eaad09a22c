// Owns what is said of the dependencies moat knows: the data of `moat deps`.
import { unknownTool } from './dependency.js'
import { runtimeOfKind } from './plan-image.js'
import { type KnownPackage, type KnownRuntime, knownTools, type PackageKind } from './registry.js'

export interface ToolSummary {
  /** Taken when moat.yaml names none: null for Debian packages, whose version Debian chooses. */
  defaultVersion: string | null
  for: string
  kind: PackageKind | 'runtime'
  name: string
}

export interface ToolDetails extends ToolSummary {
  /** How to write it in moat.yaml. */
  examples: string[]
  /** The image, or the packages, that it comes from. */
  installs: string[]
  /** The runtime that comes with it; null if none does. */
  needs: string | null
}

/** All dependencies with a name of their own, in alphabetical order. */
export function listTools(): ToolSummary[] {
  return [...knownTools().values()].map(summarize)
}

/** Throws CONFIG_INVALID, with the nearest name, when moat knows none of that name. */
export function describeTool(name: string): ToolDetails {
  const tool = knownTools().get(name)
  if (!tool) throw unknownTool(name)
  const summary = summarize(tool)
  if (tool.kind === 'runtime') {
    const installs = [tool.image.replace('{version}', tool.defaultVersion)]
    return { ...summary, examples: [name, `${name}@${tool.defaultVersion}`], installs, needs: null }
  }
  const examples = tool.kind === 'apt' ? [name] : [name, `${name}@${exampleVersions[tool.kind]}`]
  const needs = tool.kind === 'apt' ? null : runtimeOfKind[tool.kind]
  return { ...summary, examples, installs: tool.packages, needs }
}

const exampleVersions = { cargo: '1.2.3', go: 'v1.2.3', npm: '1.2.3', pip: '1.2.3' } as const

function summarize(tool: KnownPackage | KnownRuntime): ToolSummary {
  const { for: purpose, kind, name } = tool
  const defaultVersion = tool.kind === 'runtime' ? tool.defaultVersion : tool.kind === 'apt' ? null : 'latest'
  return { defaultVersion, for: purpose, kind, name }
}
