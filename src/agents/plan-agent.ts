// Owns what an agent will be: moat.yaml, flags and endpoint types brought together, before anything is created.
import type { AskedPower } from '../approvals/power.js'
import { powersOf } from '../approvals/powers.js'
import type { LoadedMoatYaml, MoatYaml, MoatYamlCommand } from '../config/moat-yaml.js'
import { checkAll, throwAll } from '../config/problems.js'
import { resolveWorkspace } from '../config/workspace.js'
import { isOpen } from '../egress/effective-policy.js'
import type { NetworkPolicy, PolicyMode } from '../egress/policy.js'
import type { EndpointPlugins } from '../endpoints/plugin-hooks.js'
import { exitCodes, MoatError } from '../errors.js'
import type { GrantName } from '../grants/injection.js'
import { type ImagePlan, planImage } from '../images/plan-image.js'
import { withPreRun } from '../images/with-pre-run.js'
import type { ProxyTrust } from '../projects/behind-proxy.js'
import type { HostHint } from '../projects/host-hint.js'
import { encodingProblem, isDnsLabel, suggestDnsLabel } from '../routing/dns-label.js'
import { generateName } from '../routing/generate-name.js'
import { branchRunName } from '../worktrees/branch-name.js'
import { checkoutNotes } from '../worktrees/checkout-notes.js'
import { findCheckout, type LinkedCheckout, placeOf } from '../worktrees/find-checkout.js'
import type { GitPlace } from '../worktrees/git-place.js'
import { mainCheckoutAt } from '../worktrees/main-checkout.js'
import { repositoryId } from '../worktrees/repository.js'
import { isAcknowledged } from '../worktrees/repository-config.js'
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
  /** Replaces the command of moat.yaml. */
  command?: string[]
  /** Where moat.yaml is, if not in the workspace itself; what it says is relative to the workspace. */
  configDirectory?: string
  env: Record<string, string>
  /** `--grant`, each as it was typed. */
  grants?: string[]
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

export interface AgentPlan extends GivenMounts, RegisteredEndpoints {
  /** The git worktree that the workspace is, if it is one. */
  checkout?: LinkedCheckout
  command: string[] | undefined
  container: MoatYaml['container']
  /** Where moat.yaml asks that whatever listens has a URL; absent when it does not. */
  discoverPlace?: string
  /** How moat.yaml is named to a person. */
  displayFile: string
  env: Record<string, string>
  /** What the agent is known by besides its name when its workspace lies in a git worktree. */
  git?: { branch?: string; repository: string }
  /** Credentials that it may use and does not see. */
  grants: GrantName[]
  /** What the project's development server will refuse. */
  hostHint?: HostHint
  image: ImagePlan
  /** The main checkout that the workspace is, if it is one. */
  mainCheckout?: GitPlace
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
  /** Where moat.yaml says that none is taken before a run, and how many are to be kept. */
  snapshots: { disabledPlace?: string; retention?: number }
  /** Variables whose values are read at its start. */
  secrets: PlannedSecret[]
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

/** True when a proxy has to run for it: for its URLs, or for what it may reach. */
export function usesProxy(plan: Pick<AgentPlan, 'discoverPlace' | 'endpoints' | 'network'>): boolean {
  return hasUrls(plan) || !isOpen(plan.network)
}

/** Reads and checks everything a run depends on. Creates nothing. `domain` is what the hosts of endpoints end in. */
export async function planAgent(request: RunRequest, plugins: EndpointPlugins, domain: string): Promise<AgentPlan> {
  const { program } = request
  const { added, branch, checkout, commonDir, error, left, loaded, mainCheckout, name, workspace } =
    await readRequest(request)
  const { config } = loaded
  const { given, ownMounts } = await planMounts(config, request.mounts, { commonDir, workspace })
  const { defaultPolicy = 'permissive' } = request
  const allow = [...(request.allow ?? []), ...added.allow]
  const network = planNetwork({ allow, declared: config.network, defaultPolicy })
  const [, command, image, registered] = await checkAll([
    () => throwAll(error ? [error] : []),
    () => (left.includes('command') ? undefined : planCommand(request, loaded)),
    () =>
      planImage({ ...config, implied: added.dependencies, place: (index) => loaded.locate(['dependencies', index]) }),
    () => registerEndpoints(loaded, plugins, { name, workspace }, domain, request.isFree),
  ])
  const named = { ...request, grants: [...(request.grants ?? []), ...added.choice.added] }
  const { grants, powers: grantPowers, secrets } = await planGrants(config, named)
  const hostHint = await findRefusedHost({ ...registered, command, domain, name, workspace })
  const env = { ...config.env, ...request.env }
  return {
    ...(checkout && {
      git: { ...(branch !== undefined && { branch }), repository: await repositoryId(checkout.commonDir) },
    }),
    // Of a directory within the worktree, only that is given away, and git needs the whole.
    ...(checkout?.root === workspace && { checkout }),
    command,
    container: config.container,
    ...(config.discover && { discoverPlace: loaded.locate(['discover']) }),
    displayFile: loaded.displayFile,
    env,
    grants,
    ...(hostHint && { hostHint }),
    image,
    ...(mainCheckout && { mainCheckout }),
    name,
    network,
    notes: [...loaded.notes, ...(await notesOf(checkout ?? mainCheckout))],
    openStdin: opensStdin(config, registered),
    proxyTrust: await findProxyTrust({ ...registered, command, discover: config.discover, domain, env, workspace }),
    powers: powersOf({
      gitDirectory: mainCheckout?.commonDir,
      gitIsOwn: mainCheckout === undefined || (await isAcknowledged(mainCheckout)),
      grants: grantPowers,
      secrets: secrets.map(({ name, text }) => ({ name, value: text })),
      hostPorts: registered.hostPorts,
      loaded,
      ownMounts,
      ownRules: allow,
      strictByDefault: defaultPolicy === 'strict',
      volumes: given.volumes,
      workspace,
    }),
    ...(config.container.runtime !== undefined && { runtimePlace: loaded.locate(['container', 'runtime']) }),
    secrets,
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
  const checkout = await findCheckout(workspace)
  const mainCheckout = checkout ? undefined : await mainCheckoutAt(workspace)
  const branch = checkout?.branch
  return {
    ...read,
    added: programAdditions(config, request),
    branch,
    checkout,
    commonDir: (checkout ?? mainCheckout)?.commonDir,
    mainCheckout,
    name: chooseName(request.name ?? (branch === undefined ? config.name : branchRunName(config.name, branch))),
    workspace,
  }
}

/** Watchers end with their stdin; what reads all of it never ends without. Servers are mostly run by the former. */
function opensStdin({ discover, stdin }: MoatYaml, { endpoints }: RegisteredEndpoints): boolean {
  return stdin === undefined ? discover === true || endpoints.length > 0 : stdin === 'open'
}

function planSnapshots({ config: { snapshots }, locate }: LoadedMoatYaml): AgentPlan['snapshots'] {
  const { disabled, retention } = snapshots
  return { ...(disabled && { disabledPlace: locate(['snapshots']) }), ...(retention !== undefined && { retention }) }
}

async function notesOf(checkout: LinkedCheckout | GitPlace | undefined): Promise<string[]> {
  return checkout ? checkoutNotes('adminDir' in checkout ? placeOf(checkout) : checkout) : []
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
