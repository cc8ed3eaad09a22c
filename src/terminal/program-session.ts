// Owns a run of a coding agent as a person sees it: whose login it has, and then the run, with the terminal or for one answer.
import { notLoggedIn } from '../agents/container/container-program.js'
import { type AgentPlan, planAgent, type RunRequest } from '../agents/plan/plan-agent.js'
import type { AskedStart } from '../agents/plan/plan-program.js'
import { loadSettings } from '../config/settings.js'
import { shellQuote } from '../config/shell-quote.js'
import type { EndpointPlugins } from '../endpoints/plugin-hooks.js'
import type { Engine } from '../engine/engine.js'
import { exitCodes, MoatError } from '../errors.js'
import { makeGrant } from '../grants/make-grant.js'
import { chooseProfile } from '../grants/profile.js'
import { grantNames } from '../grants/store.js'
import type { AgentProgram } from '../programs/contract.js'
import { loginFile } from '../programs/login-file.js'
import { stateVolumes } from '../programs/state-volumes.js'
import { askHidden } from './ask-hidden.js'
import { confirm } from './confirm.js'
import { describeMade } from './format-grants.js'
import { askImport } from './import-session.js'
import { type RunFlags, toRunRequest } from './run-flags.js'
import { type RunOutcome, type RunSessionOptions, runSession } from './run-session.js'
import { worktreeSession } from './worktree-session.js'

export interface ProgramSessionOptions extends Omit<RunSessionOptions, 'approveCommands' | 'engine' | 'flags'> {
  branch?: string | undefined
  connect: () => Promise<Engine>
  flags: Omit<RunFlags, 'interactive'>
  /** A copy of the user's own login is to go into the container. */
  imports: boolean
  login: boolean
  path: string
  plugins: EndpointPlugins
  program: AgentProgram
  start: AskedStart
}

export async function programSession(options: ProgramSessionOptions): Promise<RunOutcome> {
  const { branch, connect, imports, login, json, path, plugins, program, proxy, start } = options
  if (login && !program.login) throw withoutLogin(program)
  if (!start.print) assertTerminal(program.name)
  const flags = { ...options.flags, interactive: !start.print }
  const profile = chooseProfile(flags.profile)
  const plan = async (request: RunRequest): Promise<AgentPlan> => {
    const names = await grantNames(proxy.paths.grants, profile)
    const there = names.map(({ name }) => name)
    const asked = { home: proxy.paths.home, imports, login, profile, program, start, there }
    return planAgent({ ...request, program: asked }, plugins, proxy.wanted.domain)
  }
  const settled = async (request: RunRequest) => {
    const first = await plan(request)
    const { home } = proxy.paths
    if (imports && first.program) await askImport(first.program, { ask: !json, home, profile, yes: flags.yes })
    return (await settleLogin(first, profile, { ...options, connect })) ? plan(request) : first
  }
  // stdout is for the answer.
  const log = start.print ? (line: string) => process.stderr.write(`${line}\n`) : options.log
  const session = { ...options, flags, log }
  if (branch !== undefined) {
    const again = `moat ${program.name} --yes${flags.clone ? ' --clone' : ''} --worktree ${shellQuote(branch)}`
    const given = { approveCommands: [again], branch, command: undefined, engine: await connect(), plan: settled }
    return worktreeSession({ ...session, ...given, path })
  }
  const { network } = await loadSettings(proxy.paths.configFile)
  const planned = await settled(toRunRequest(flags, path, undefined, network.policy))
  const word = shellQuote(path)
  const approveCommands = [`moat approve ${word}`, `moat ${program.name} --yes ${word}`]
  return runSession(planned, { ...session, approveCommands, engine: await connect() })
}

/** True once a grant has been made. Throws GRANT_MISSING where there is none, and cannot be a login of an earlier run either. */
async function settleLogin(
  { program: planned }: AgentPlan,
  profile: string,
  {
    connect,
    grantProviders,
    json,
    proxy,
  }: Pick<ProgramSessionOptions, 'connect' | 'grantProviders' | 'json' | 'proxy'>,
): Promise<boolean> {
  if (
    !planned ||
    planned.imports ||
    planned.login ||
    planned.grant !== undefined ||
    planned.program.grants.length === 0
  )
    return false
  const { program } = planned
  const { home } = proxy.paths
  const engine = await connect()
  const kept = stateVolumes(program, { home, profile, workspace: '' }).find(({ place }) => place === home)
  const known =
    kept && (await engine.volumes.list()).some(({ name, place }) => name === kept.name && place === kept.place)
  // Whether it has a login in it is seen once there is a container.
  if (known && loginFile(program) !== undefined) return false
  const [first = ''] = program.grants
  if (json || !process.stdin.isTTY || !process.stderr.isTTY) throw notLoggedIn(planned)
  const names = program.grants.join(' or ')
  const others = program.login ? ` (moat ${program.name} --login logs in inside the container instead.)` : ''
  if (!(await confirm(`There is no grant ${names}.${others} Grant ${first} now?`, 'yes'))) throw notLoggedIn(planned)
  const note = (line: string) => void process.stderr.write(`${line}\n`)
  const choices = { directory: proxy.paths.grants, note, profile, type: askHidden }
  const made = await makeGrant(first, { check: true }, grantProviders, choices)
  describeMade(made).slice(0, 2).forEach(note)
  return true
}

function withoutLogin({ grants, name, title }: AgentProgram): MoatError {
  return new MoatError('USAGE', `moat knows of no login of ${title} inside its container.`, {
    exit: exitCodes.usage,
    suggestions: [...grants.map((grant) => `moat grant ${grant}`), `moat help ${name}`],
  })
}

function assertTerminal(name: string): void {
  if (process.stdin.isTTY && process.stdout.isTTY) return
  throw new MoatError('USAGE', `moat ${name} needs a terminal on stdin and stdout; with -p it answers without one.`, {
    exit: exitCodes.usage,
    suggestions: [`moat ${name} -p "What does this project do?"`],
  })
}
