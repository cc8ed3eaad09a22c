// Owns the way to a plan: what a run depends on is read, then checked. An error in moat.yaml is told without loading what the rest takes.
import { readMoatYaml } from '../../config/moat-yaml.js'
import { resolveWorkspace } from '../../config/workspace.js'
import { isOpen } from '../../egress/effective-policy.js'
import type { NetworkPolicy } from '../../egress/policy.js'
import type { EndpointPlugins } from '../../endpoints/plugin-hooks.js'
import { exitCodes, MoatError } from '../../errors.js'
import { encodingProblem, isDnsLabel, suggestDnsLabel } from '../../routing/dns-label.js'
import { generateName } from '../../routing/generate-name.js'
import { branchRunName } from '../../worktrees/branch-name.js'
import type { AgentPlan, ReadRequest, RunRequest } from './agent-plan.js'
import { planGit } from './plan-git.js'

export type { AgentPlan, RunRequest } from './agent-plan.js'

/** True when the proxy is to serve it: it has endpoints, or is to have one for whatever listens, or may reach those of others. */
export function hasUrls({
  discoverPlace,
  endpoints,
  network,
}: {
  discoverPlace?: string
  endpoints: readonly unknown[]
  network?: Pick<NetworkPolicy, 'peers'>
}): boolean {
  return discoverPlace !== undefined || endpoints.length > 0 || (network?.peers ?? []).length > 0
}

/** True when a proxy has to run for it: for its URLs, for what it may reach, or for the end of its services. */
export function usesProxy(plan: Pick<AgentPlan, 'discoverPlace' | 'endpoints' | 'network' | 'services'>): boolean {
  return hasUrls(plan) || !isOpen(plan.network) || plan.services.length > 0
}

/** Reads and checks everything a run depends on. Creates nothing. `domain` is what the hosts of endpoints end in. */
export async function planAgent(request: RunRequest, plugins: EndpointPlugins, domain: string): Promise<AgentPlan> {
  const read = await readRequest(request)
  if (read.error && !hasMoreToCheck(read, request)) throw read.error
  const { completePlan } = await import('./complete-plan.js')
  return completePlan(request, read, plugins, domain)
}

/** Of all that is wrong is told at once: what of the file or the command line may be wrong besides? */
function hasMoreToCheck({ allow, loaded: { config } }: ReadRequest, { clone, mounts, program }: RunRequest): boolean {
  const { dependencies, hooks, ports, services } = config
  const lists = [allow, dependencies, hooks.preRun, mounts, ports, services]
  return clone !== undefined || program !== undefined || lists.some(({ length }) => length > 0)
}

/** What the files of the workspace say, moat.yaml and git's. */
async function readRequest(request: RunRequest): Promise<ReadRequest> {
  const workspace = await resolveWorkspace(request.path)
  const directory = request.configDirectory ?? workspace
  const programs = request.program && (await import('./plan-program.js'))
  const read = programs
    ? await programs.readRequested({ directory, program: request.program }, workspace)
    : await readMoatYaml(directory, process.cwd(), workspace)
  const { config } = read.loaded
  const planned = await planGit(workspace, request.clone)
  const { branch } = planned
  const added = programs?.programAdditions(config, request) ?? { allow: [], choice: { added: [] }, dependencies: [] }
  if (!read.error) request.onRead?.()
  return {
    ...read,
    added,
    allow: [...(request.allow ?? []), ...added.allow],
    named: { ...request, grants: [...(request.grants ?? []), ...added.choice.added] },
    planned,
    name: chooseName(request.name ?? (branch === undefined ? config.name : branchRunName(config.name, branch))),
    workspace,
  }
}

function chooseName(name: string | undefined): string {
  if (name === undefined) return generateName()
  if (isDnsLabel(name)) return name
  const suggestion = suggestDnsLabel(name)
  throw new MoatError(
    'INVALID_NAME',
    `"${name}" is not a valid agent name: ${encodingProblem(name) ? `it ${encodingProblem(name)}` : 'use 1 to 63 lowercase letters, digits and hyphens, with no hyphen first or last'}.`,
    { exit: exitCodes.usage, ...(suggestion && { suggestions: [`moat run --name ${suggestion}`] }) },
  )
}
