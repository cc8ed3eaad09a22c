// Owns what follows from what has been read of a run: moat.yaml, flags and endpoint types brought together, before anything is created.
// Apart from what reads, because it loads most of what a run is made of.
import { powersOf } from '../../approvals/powers.js'
import type { LoadedMoatYaml, MoatYaml, MoatYamlCommand } from '../../config/moat-yaml.js'
import { checkAll, throwAll } from '../../config/problems.js'
import type { EndpointPlugins } from '../../endpoints/plugin-hooks.js'
import { exitCodes, MoatError } from '../../errors.js'
import { planImage } from '../../images/plan-image.js'
import { withPreRun } from '../../images/with-pre-run.js'
import { planServices } from '../../services/plan-services.js'
import { checkoutNotes } from '../../worktrees/checkout-notes.js'
import { placeOf } from '../../worktrees/find-checkout.js'
import { isAcknowledged } from '../../worktrees/repository-config.js'
import type { AgentPlan, PlannedGit, ReadRequest, RunRequest } from './agent-plan.js'
import { assertApartFromWorkspace } from './plan-clone.js'
import { planGrants } from './plan-grants.js'
import { planMounts } from './plan-mounts.js'
import { planNetwork } from './plan-network.js'
import { planProgram } from './plan-program.js'
import { findProxyTrust } from './proxy-trust.js'
import { findRefusedHost, withHint } from './refused-host.js'
import { type RegisteredEndpoints, registerEndpoints } from './register-endpoints.js'

/** Checks all that has been read, and says at once what is wrong with it. Creates nothing. */
export async function completePlan(
  request: RunRequest,
  { added, allow, error, left, loaded, name, named, planned, workspace }: ReadRequest,
  plugins: EndpointPlugins,
  domain: string,
): Promise<AgentPlan> {
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

/** What a person should know of the checkout; of a clone that is told when it is made. */
async function gitNotes({ checkout, mainCheckout }: PlannedGit): Promise<string[]> {
  const place = checkout ? placeOf(checkout) : mainCheckout
  return place ? checkoutNotes(place) : []
}
