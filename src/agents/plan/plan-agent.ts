// Owns what an agent will be: moat.yaml, flags and endpoint types brought together, before anything is created.
import type { AskedPower } from '../../approvals/power.js'
import { powersOf } from '../../approvals/powers.js'
import type { LoadedMoatYaml, MoatYaml, MoatYamlCommand } from '../../config/moat-yaml.js'
import { checkAll, throwAll } from '../../config/problems.js'
import type { SnapshotTriggers } from '../../config/snapshots-schema.js'
import { resolveWorkspace } from '../../config/workspace.js'
import { isOpen } from '../../egress/effective-policy.js'
import type { NetworkPolicy, PolicyMode } from '../../egress/policy.js'
import type { EndpointPlugins } from '../../endpoints/plugin-hooks.js'
import { exitCodes, MoatError } from '../../errors.js'
import type { GrantName } from '../../grants/injection.js'
import { type ImagePlan, planImage } from '../../images/plan-image.js'
import { withPreRun } from '../../images/with-pre-run.js'
import type { ProxyTrust } from '../../projects/behind-proxy.js'
import type { HostHint } from '../../projects/host-hint.js'
import { encodingProblem, isDnsLabel, suggestDnsLabel } from '../../routing/dns-label.js'
import { generateName } from '../../routing/generate-name.js'
import { type PlannedService, planServices } from '../../services/plan-services.js'
import { branchRunName } from '../../worktrees/branch-name.js'
import { isAcknowledged } from '../../worktrees/repository-config.js'
import { assertApartFromWorkspace, type CloneRequest, gitNotes, type PlannedGit, planGit } from './plan-git.js'
import { type PlannedSecret, planGrants } from './plan-grants.js'
import { type GivenMounts, planMounts } from './plan-mounts.js'
import { planNetwork } from './plan-network.js'
import {
  type PlannedProgram,
  type ProgramRequest,
  planProgram,
  programAdditions,
  readRequested,
} from './plan-program.js'
import { findProxyTrust } from './proxy-trust.js'
import { findRefusedHost, withHint } from './refused-host.js'
import { type RegisteredEndpoints, registerEndpoints } from './register-endpoints.js'

/** What a person asked for. */
export interface RunRequest {
  /** `--allow`, each as it was typed. */
  allow?: string[]
  /** Tells which ports of the host may be used; default: those that nobody listens on. */
  isFree?: (port: number) => Promise<boolean>
  /** What holds where moat.yaml has no policy; default: permissive. */
  defaultPolicy?: PolicyMode
  /** It is to work in a clone of its own, and not in the workspace. */
  clone?: CloneRequest
  /** Replaces the command of moat.yaml. */
  command?: string[]
  /** Where moat.yaml is, if not in the workspace itself; what it says is relative to the workspace. */
  configDirectory?: string
  env: Record<string, string>
  /** `--grant`, each as it was typed. */
  grants?: string[]
  /** Called once the files of the workspace have been read, if nothing is wrong with them: the rest takes longer. */
  onRead?: () => void
  /** `source:target[:ro]`, sources relative to the working directory. */
  mounts: string[]
  name?: string
  /** Directory with a moat.yaml, as it was typed. */
  path: string
  /** Which of the user's accounts grants are of. */
  profile?: string
  /** What the command of a coding agent runs in the place of moat.yaml's command. */
  program?: ProgramRequest
}

export interface AgentPlan
  extends GivenMounts,
    RegisteredEndpoints,
    Pick<PlannedGit, 'checkout' | 'clone' | 'git' | 'mainCheckout'> {
  command: string[] | undefined
  container: MoatYaml['container']
  /** Where moat.yaml asks that whatever listens has a URL; absent when it does not. */
  discoverPlace?: string
  /** How moat.yaml is named to a person. */
  displayFile: string
  env: Record<string, string>
  /** Credentials that it may use and does not see. */
  grants: GrantName[]
  /** What the project's development server will refuse. */
  hostHint?: HostHint
  image: ImagePlan
  name: string
  /** What it may reach. */
  network: NetworkPolicy
  /** What a person should know before the start. */
  notes: string[]
  /** What moat.yaml and flags ask for beyond the container. */
  powers: AskedPower[]
  /** True when its stdin stays open, though nobody writes to it. */
  openStdin: boolean
  /** The coding agent that it is. */
  program?: PlannedProgram
  /** What its framework needs in order to trust the proxy. */
  proxyTrust: ProxyTrust
  /** Where moat.yaml names the container's runtime. */
  runtimePlace?: string
  /** Where moat.yaml says that none is taken before a run, how many are to be kept, and when more are taken. */
  snapshots: { disabledPlace?: string; retention?: number; triggers?: SnapshotTriggers }
  /** Variables whose values are read at its start. */
  secrets: PlannedSecret[]
  /** What runs beside it, for it alone. */
  services: PlannedService[]
  workspace: string
}

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
  const { added, allow, error, left, loaded, name, named, planned, workspace } = await readRequest(request)
  const { config } = loaded
  const { checkout, clone, commonDir, git, mainCheckout } = planned
  const { given, ownMounts } = await planMounts(config, request.mounts, { clone: clone && name, commonDir, workspace })
  const { defaultPolicy = 'permissive', program } = request
  const network = planNetwork({ allow, declared: config.network, defaultPolicy })
  const [, command, image, registered, services] = await checkAll([
    () => throwAll(error ? [error] : []),
    () => (left.includes('command') ? undefined : planCommand(request, loaded)),
    () =>
      planImage({ ...config, implied: added.dependencies, place: (index) => loaded.locate(['dependencies', index]) }),
    () => registerEndpoints(loaded, plugins, { name, workspace }, domain, request.isFree),
    () => planServices(loaded),
  ])
  const { displayFile } = loaded
  assertApartFromWorkspace(planned, { ...registered, displayFile, mounts: config.mounts, workspace })
  const { grants, powers: grantPowers, secrets } = await planGrants(config, named)
  const served = { ...registered, command, domain, name, workspace }
  const hostHint = await findRefusedHost(served)
  const env = { ...config.env, ...request.env }
  return {
    ...(git && { git }),
    ...(clone && { clone }),
    // Of a directory within the worktree, only that is given away, and git needs the whole.
    ...(checkout?.root === workspace && { checkout }),
    command,
    container: config.container,
    ...placesOf(loaded),
    env,
    grants,
    ...(hostHint && { hostHint }),
    image,
    ...(mainCheckout && { mainCheckout }),
    name,
    network,
    notes: [...loaded.notes, ...(await gitNotes(planned))],
    openStdin: opensStdin(config, registered),
    proxyTrust: await findProxyTrust({ ...served, discover: config.discover, env }),
    powers: powersOf({
      gitDirectory: mainCheckout?.commonDir,
      gitIsOwn: mainCheckout === undefined || (await isAcknowledged(mainCheckout)),
      grants: grantPowers,
      secrets: secrets.map(({ name, text }) => ({ name, value: text })),
      hostPorts: registered.hostPorts,
      loaded,
      ownMounts,
      ownRules: allow,
      services,
      strictByDefault: defaultPolicy === 'strict',
      volumes: given.volumes,
      workspace,
    }),
    secrets,
    services,
    snapshots: planSnapshots(loaded),
    workspace,
    ...registered,
    ...given,
    endpoints: withHint(registered.endpoints, hostHint),
    ...(program &&
      planProgram(program, loaded, given, { commonDir, env, grant: added.choice.grant, project: command, workspace })),
  }
}

/** What the files of the workspace say, moat.yaml and git's. */
async function readRequest(request: RunRequest) {
  const workspace = await resolveWorkspace(request.path)
  const directory = request.configDirectory ?? workspace
  const read = await readRequested({ directory, program: request.program }, workspace)
  const { config } = read.loaded
  const planned = await planGit(workspace, request.clone)
  const { branch } = planned
  const added = programAdditions(config, request)
  if (!read.error) request.onRead?.()
  return {
    ...read,
    added,
    allow: [...(request.allow ?? []), ...added.allow],
    /** With the grants that are asked for by name. */
    named: { ...request, grants: [...(request.grants ?? []), ...added.choice.added] },
    planned,
    name: chooseName(request.name ?? (branch === undefined ? config.name : branchRunName(config.name, branch))),
    workspace,
  }
}

/** Watchers end with their stdin; what reads all of it never ends without. Servers are mostly run by the former. */
function opensStdin({ discover, stdin }: MoatYaml, { endpoints }: RegisteredEndpoints): boolean {
  return stdin === undefined ? discover === true || endpoints.length > 0 : stdin === 'open'
}

/** Where moat.yaml says what may turn out to be impossible later. */
function placesOf({ config, displayFile, locate }: LoadedMoatYaml) {
  return {
    ...(config.discover && { discoverPlace: locate(['discover']) }),
    displayFile,
    ...(config.container.runtime !== undefined && { runtimePlace: locate(['container', 'runtime']) }),
  }
}

function planSnapshots({ config: { snapshots }, locate }: LoadedMoatYaml): AgentPlan['snapshots'] {
  const { disabled, ...others } = snapshots
  return { ...(disabled && { disabledPlace: locate(['snapshots']) }), ...others }
}

function planCommand(request: RunRequest, { config, locate }: LoadedMoatYaml): string[] | undefined {
  const { preRun } = config.hooks
  const command = request.command ?? toArguments(config.command)
  // Before a coding agent, its own command has them.
  if (preRun.length === 0 || request.program) return command
  if (command) return withPreRun(command, preRun)
  const place = locate(['hooks', 'pre_run'])
  throw new MoatError('CONFIG_INVALID', `${place}: "hooks.pre_run" needs a command to run before, and there is none.`, {
    exit: exitCodes.usage,
    suggestions: ['add a command to moat.yaml, e.g. command: ["npm", "start"]'],
  })
}

function toArguments(command: MoatYamlCommand | undefined): string[] | undefined {
  if (!command) return undefined
  return command.kind === 'exec' ? command.argv : ['sh', '-c', command.script]
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
