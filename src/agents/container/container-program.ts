// Owns what a coding agent finds in its container besides what every agent has: what it is told of its run, and files of its state.
import type { Engine } from '../../engine/engine.js'
import { userInside } from '../../engine/user-inside.js'
import { exitCodes, MoatError } from '../../errors.js'
import { formatGrant } from '../../grants/injection.js'
import { describeRun } from '../../programs/describe-run.js'
import { canImport, readHostLogin } from '../../programs/host-login.js'
import { loginFile } from '../../programs/login-file.js'
import { agentUrl, type ProxyAddress, urlOf } from '../../routing/urls.js'
import type { AgentPlan } from '../plan/plan-agent.js'
import type { PlannedProgram } from '../plan/plan-program.js'

/** The plan with the command that tells the program what is known of the run by now. */
export function withContext(plan: AgentPlan, address: ProxyAddress | undefined): AgentPlan {
  if (!plan.program) return plan
  const { contextFile } = plan.program.program
  return { ...plan, command: plan.program.command(contextFile === undefined ? contextOf(plan, address) : '') }
}

/** Puts into the created container, before its start, what the program reads. Throws GRANT_MISSING for one that is not logged in. */
export async function installProgram(
  plan: AgentPlan,
  containerId: string,
  {
    address,
    engine,
    user,
  }: {
    address: ProxyAddress | undefined
    engine: Pick<Engine, 'files' | 'isRootless'>
    user: { gid: number; uid: number }
  },
): Promise<void> {
  if (!plan.program) return
  const { grant, imports, login, program } = plan.program
  const { contextFile, seeds = [] } = program
  const file = loginFile(program)
  const isNeeded = grant === undefined && !imports && !login && file !== undefined
  if (isNeeded && !(await engine.files.has(containerId, file))) throw notLoggedIn(plan.program)
  if (contextFile !== undefined)
    await engine.files.write(containerId, '/', [{ name: contextFile.slice(1), text: contextOf(plan, address) }])
  const owner = await userInside(engine, user)
  // In the place of whatever is there: a link that an agent has left is replaced, and not followed.
  if (imports && canImport(program)) {
    const text = readHostLogin(program)
    await engine.files.write(containerId, '/', [{ mode: 0o600, name: program.hostLogin.to.slice(1), owner, text }])
  }
  for (const { linkTo, path, text = '' } of seeds) {
    // An agent may have made something else of it, of any size: it is not read.
    if (await engine.files.has(containerId, path)) continue
    await engine.files.write(containerId, '/', [
      { ...(linkTo !== undefined && { linkTo }), mode: 0o600, name: path.slice(1), owner, text },
    ])
  }
}

export function notLoggedIn({ program }: Pick<PlannedProgram, 'program'>): MoatError {
  const { grants, hostLogin, login, name, title } = program
  const ways = grants.length > 0 ? `there is no grant ${grants.join(' or ')}` : 'it is not logged in'
  return new MoatError('GRANT_MISSING', `${title} has no credential: ${ways}, so nothing was started.`, {
    exit: exitCodes.usage,
    suggestions: [
      ...grants.map((grant) => `moat grant ${grant}`),
      ...(login ? [`moat ${name} --login   # in the container, which then has the credential`] : []),
      ...(hostLogin ? [`moat ${name} --import   # copies yours there; asks first`] : []),
    ],
  })
}

function contextOf(plan: AgentPlan, address: ProxyAddress | undefined): string {
  const { clone, discoverPlace, endpoints, git, grants, mounts, name, program, services, snapshots, tmpfs, volumes } =
    plan
  return describeRun({
    ...(address && { agentUrl: agentUrl(name, address) }),
    ...(git?.branch !== undefined && { branch: git.branch }),
    clone: clone !== undefined,
    command: program?.project,
    dependencies: program?.dependencies ?? [],
    discover: discoverPlace !== undefined,
    endpoints: address
      ? endpoints.map((one) => ({ name: one.name, port: one.port, url: urlOf(name, one, address) }))
      : [],
    grants: grants.map(formatGrant),
    kept: volumes.map(({ target }) => target),
    memory: tmpfs,
    mounts,
    name,
    network: plan.network,
    services: services.map((one) => ({ name: one.name, port: one.port })),
    snapshots: !clone && snapshots.disabledPlace === undefined,
  })
}
