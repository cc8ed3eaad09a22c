// Owns the question that goes before an agent is given a copy of its user's login: what is copied, who has it then, what is better.
import { posix } from 'node:path'
import type { PlannedProgram } from '../agents/plan/plan-program.js'
import { displayPath } from '../config/paths.js'
import { visible } from '../config/visible.js'
import { exitCodes, MoatError } from '../errors.js'
import { canImport, hostLoginFile, type ImportableProgram, otherWays, readHostLogin } from '../programs/host-login.js'
import { stateVolumes } from '../programs/state-volumes.js'
import { confirm } from './confirm.js'

export interface ImportSessionOptions {
  /** False where nobody may be asked. */
  ask: boolean
  /** `~/.moat`. */
  home: string
  profile: string
  /** Answers the question. */
  yes: boolean
}

/** Resolves once the user wants it. Throws USAGE, LOGIN_REFUSED for a login that cannot be copied, and NOT_APPROVED. */
export async function askImport(
  { grant, program }: Pick<PlannedProgram, 'grant' | 'program'>,
  options: ImportSessionOptions,
): Promise<void> {
  if (!canImport(program)) throw nothingToImport(program)
  if (grant !== undefined) throw needless(program, grant)
  // What is wrong with the file is said before anybody is asked about it. It is read again when it is copied.
  readHostLogin(program)
  const lines = describeImport(program, options)
  if (options.yes) {
    process.stderr.write(`${lines.join('\n')}\n`)
    return
  }
  if (!options.ask || !process.stdin.isTTY || !process.stderr.isTTY) {
    throw new MoatError('NOT_APPROVED', [...lines, 'Nothing was copied and nothing was started.'].join('\n'), {
      exit: exitCodes.usage,
      suggestions: [...otherWays(program), `moat ${program.name} --import --yes   # copies it`],
    })
  }
  process.stderr.write(`${lines.join('\n')}\n\n`)
  if (await confirm('Copy it?')) return
  throw new MoatError('NOT_APPROVED', 'Not copied, so nothing was started.', {
    exit: exitCodes.usage,
    suggestions: otherWays(program),
  })
}

/** Exported for its test. */
export function describeImport(
  program: ImportableProgram,
  { home, profile }: Pick<ImportSessionOptions, 'home' | 'profile'>,
): string[] {
  const { grants, hostLogin, title } = program
  const directory = posix.dirname(hostLogin.to)
  const volume = stateVolumes(program, { home, profile, workspace: '' }).find(({ target }) => target === directory)
  const [grant] = grants
  return [
    `A copy of your own login of ${title} goes into the container:`,
    '',
    `  ${visible(displayPath(hostLoginFile(hostLogin)))}`,
    `    of it ${hostLogin.keys.join(', ')}, and nothing of any other file`,
    `  to ${hostLogin.to}`,
    `    in the volume ${volume?.name}, where agents of the profile ${profile} find it in every project`,
    '',
    'Whatever runs in their containers can read it, and send it to any host that they reach. It stays there until',
    `moat volumes rm ${volume?.name}. If one of you renews it, the other may have to log in again.`,
    ...(grant === undefined ? [] : [`With a grant they use your account, and never have it: moat grant ${grant}`]),
  ]
}

function nothingToImport(program: PlannedProgram['program']): MoatError {
  return new MoatError('USAGE', `moat knows of no login of ${program.title} on this machine that it could copy.`, {
    exit: exitCodes.usage,
    suggestions: [...otherWays(program), `moat help ${program.name}`],
  })
}

function needless({ name, title }: ImportableProgram, grant: string): MoatError {
  const message = `${title} has the grant ${grant}, with which it needs no login, so nothing was copied or started.`
  return new MoatError('USAGE', message, {
    exit: exitCodes.usage,
    suggestions: [`moat ${name}`, `moat ${name} --import --profile <another>`, `moat grant revoke ${grant}`],
  })
}
