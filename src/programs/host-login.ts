// Owns the login that a coding agent's program has on this machine: where it lies, and the copy of it that a container gets if the user
// wants that. Of one plain file of the user's own, the fields that the package names are taken, and no others. What is read is in no error.
import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { HeldDirectory } from '../config/held-directory.js'
import { hostUser } from '../config/invoking-user.js'
import { displayPath } from '../config/paths.js'
import { rawName } from '../config/raw-name.js'
import { visible } from '../config/visible.js'
import { exitCodes, MoatError, systemCode } from '../errors.js'
import { keepOutOfDumps } from '../processes/keep-out-of-dumps.js'
import { readPlain } from '../worktrees/ignore-file.js'
import type { AgentHostLogin, AgentProgram } from './contract.js'

/** The user's own variables and home. */
export interface HostPlace {
  env?: NodeJS.ProcessEnv
  home?: string
}

/** A program whose login on this machine can be copied. */
export type ImportableProgram = AgentProgram & { hostLogin: AgentHostLogin }

/** Bytes; logins are some thousands. */
const mostBytes = 64 * 1024

export function canImport(program: AgentProgram): program is ImportableProgram {
  return program.hostLogin !== undefined
}

/** Where the program keeps its login on this machine. */
export function hostLoginFile(login: AgentHostLogin, place: HostPlace = {}): string {
  const { path, root } = locate(login, place)
  return join(root, path)
}

/** The text of the copy. Throws LOGIN_REFUSED. */
export function readHostLogin(program: ImportableProgram, place: HostPlace = {}): string {
  keepOutOfDumps()
  const { keys } = program.hostLogin
  const fields = Object.entries(parsed(readFile(program, place)))
  const login = fields.filter(([key, value]) => keys.includes(key) && value !== null && value !== '')
  if (login.length === 0) throw refused(program, place, 'there is no login in it')
  return `${JSON.stringify(Object.fromEntries(login), undefined, 2)}\n`
}

/** `path` is gone along without following a link, from `root` on, which may be one: the user's home, or what the user's variable names. */
function locate({ from, variable }: AgentHostLogin, { env = process.env, home = homedir() }: HostPlace) {
  const other = variable === undefined ? undefined : env[variable]
  return other ? { path: basename(from), root: resolve(other) } : { path: from.slice(2), root: home }
}

function readFile(program: ImportableProgram, place: HostPlace): string {
  const { path, root } = locate(program.hostLogin, place)
  let directory: HeldDirectory | undefined
  try {
    const top = HeldDirectory.open(realpathSync(root))
    try {
      directory = top.descend(dirname(path) === '.' ? '' : rawName(dirname(path)))
    } finally {
      top.close()
    }
    const found = readPlain(directory, rawName(basename(path)), mostBytes)
    if (!found) throw refused(program, place, `it is no plain file of at most ${mostBytes / 1024} KiB`)
    if (found.stats.uid !== hostUser().uid) throw refused(program, place, 'it belongs to another user')
    return found.content.toString('utf8')
  } catch (error) {
    const code = systemCode(error)
    if (error instanceof MoatError || code === undefined) throw error
    if (code === 'ENOENT') throw missing(program, place)
    const isLink = code === 'ELOOP' || code === 'ENOTDIR'
    throw refused(program, place, isLink ? 'it is a symbolic link, or lies behind one' : `it cannot be read (${code})`)
  } finally {
    directory?.close()
  }
}

/** The fields of what is JSON; none of what is not. */
function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return value instanceof Object && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function missing(program: ImportableProgram, place: HostPlace): MoatError {
  const file = shown(program, place)
  const message = `${program.title} has no login on this machine in ${file}; one in the system's keychain is not copied.`
  return new MoatError('LOGIN_REFUSED', message, { exit: exitCodes.usage, suggestions: otherWays(program) })
}

function refused(program: ImportableProgram, place: HostPlace, reason: string): MoatError {
  const message = `${shown(program, place)} is not copied: ${reason}.`
  return new MoatError('LOGIN_REFUSED', message, { exit: exitCodes.usage, suggestions: otherWays(program) })
}

function shown({ hostLogin }: ImportableProgram, place: HostPlace): string {
  return visible(displayPath(hostLoginFile(hostLogin, place)))
}

/** To a credential, but for copying one; commands, the best first. */
export function otherWays({ grants, login, name }: AgentProgram): string[] {
  return [...grants.map((grant) => `moat grant ${grant}`), ...(login ? [`moat ${name} --login`] : [])]
}
