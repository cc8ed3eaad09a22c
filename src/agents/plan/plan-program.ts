// Owns what a coding agent's command changes of a run: what it adds to moat.yaml, or takes in the place of one that there is not.
import { type LoadedMoatYaml, type MoatYaml, type PartlyLoaded, readMoatYaml } from '../../config/moat-yaml.js'
import { shellQuote } from '../../config/shell-quote.js'
import { withPreRun } from '../../images/with-pre-run.js'
import { chooseGrant } from '../../programs/choose-grant.js'
import type { AgentProgram, AgentStart } from '../../programs/contract.js'
import { assertStateFree, stateVolumes } from '../../programs/state-volumes.js'
import { detectProject } from '../../projects/detect-project.js'
import type { Project } from '../../projects/project.js'
import { moatYamlFor } from '../../projects/write-moat-yaml.js'
import type { GivenMounts } from './plan-mounts.js'

/** What a person asks of the program itself. */
export type AskedStart = Omit<AgentStart, 'context' | 'env' | 'grant'>

/** What the command of a coding agent asks for. */
export interface ProgramRequest {
  /** `~/.moat`. */
  home: string
  /** True for a copy of the user's own login. */
  imports: boolean
  /** True for the program's login instead of the program. */
  login: boolean
  profile: string
  program: AgentProgram
  start: AskedStart
  /** Names of the profile's grants. */
  there: readonly string[]
}

/** The program of a run, as its start needs it. */
export interface PlannedProgram {
  /** What is run, once it is known what there is to be told. */
  command(context: string): string[]
  /** Of moat.yaml and of the program. */
  dependencies: string[]
  /** The one of the program's grants that it has. */
  grant?: string
  imports: boolean
  login: boolean
  program: AgentProgram
  /** How the project itself is started. */
  project: string[] | undefined
}

/** The moat.yaml of a run; for a program, what moat init would write where there is none. */
export async function readRequested(
  { program, directory }: { directory: string; program?: ProgramRequest | undefined },
  workspace: string,
): Promise<PartlyLoaded> {
  let found: Project | undefined
  const missing = async () => {
    found = await detectProject(workspace)
    return moatYamlFor(found)
  }
  const read = await readMoatYaml(directory, process.cwd(), workspace, program && missing)
  if (!program) return read
  const { loaded } = read
  const env = { ...program.program.env, ...loaded.config.env }
  const notes = found ? [missingNote(found, workspace), ...loaded.notes] : loaded.notes
  return { ...read, loaded: { ...loaded, config: { ...loaded.config, env }, notes } }
}

function missingNote({ evidence }: Project, workspace: string): string {
  const from = evidence.length > 0 ? `what ${evidence.join(', ')} says` : 'port 3000'
  return `Note: there is no moat.yaml, so ${from} is taken. moat init ${shellQuote(workspace)} writes one, to be changed.`
}

export interface ProgramAdditions {
  allow: string[]
  choice: ReturnType<typeof chooseGrant>
  dependencies: readonly string[]
}

/** What of the request is added for the program: grants, as by --grant, and rules, as by --allow. */
export function programAdditions(
  { grants, network }: Pick<MoatYaml, 'grants' | 'network'>,
  request: { defaultPolicy?: string | undefined; grants?: readonly string[]; program?: ProgramRequest | undefined },
): ProgramAdditions {
  const { program } = request
  if (!program) return { allow: [], choice: { added: [] }, dependencies: [] }
  const { dependencies, grants: wanted, hosts = [] } = program.program
  const named = [...grants, ...(request.grants ?? [])]
  const choice = program.login ? { added: [] } : chooseGrant(wanted, named, program.there)
  // Elsewhere nothing is in its way, and a rule alone would put the agent behind the gate.
  const isStrict = (network?.policy ?? request.defaultPolicy) === 'strict'
  return { allow: isStrict && choice.grant === undefined ? [...hosts] : [], choice, dependencies }
}

/** What the plan has besides: the command, the kept directories, and what the start is to do. */
export function planProgram(
  { home, imports, login, profile, program, start }: ProgramRequest,
  { config, displayFile }: Pick<LoadedMoatYaml, 'config' | 'displayFile'>,
  given: GivenMounts,
  place: {
    commonDir: string | undefined
    env: Record<string, string>
    grant: string | undefined
    project: string[] | undefined
    workspace: string
  },
): { command: string[]; openStdin: false; program: PlannedProgram; volumes: GivenMounts['volumes'] } {
  const { env, grant, project } = place
  assertStateFree(
    program,
    [...given.mounts, ...given.volumes, ...given.tmpfs.map((target) => ({ target }))],
    displayFile,
  )
  const command = (context: string) => {
    const words = login
      ? (program.login?.command ?? [])
      : program.command({ ...start, context, env, ...(grant !== undefined && { grant }) })
    return withPreRun(words, login ? [] : config.hooks.preRun)
  }
  return {
    command: command(''),
    // Nobody writes to it, and programs wait for what may come.
    openStdin: false,
    program: {
      command,
      dependencies: [...new Set([...config.dependencies, ...program.dependencies])],
      ...(grant !== undefined && { grant }),
      imports,
      login,
      program,
      project,
    },
    volumes: [...given.volumes, ...stateVolumes(program, { ...place, home, profile })],
  }
}
