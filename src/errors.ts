// Owns MoatError, the only error a person sees, the codes it carries, and the exit codes they lead to.

/** Exit codes of moat itself; an attached `moat run` otherwise exits with its agent's own code. */
export const exitCodes = {
  /** Something outside the user's input failed: the engine, the proxy, an image. */
  failure: 1,
  /** The input is wrong: a flag, a name, moat.yaml, a path. Nothing was changed. */
  usage: 2,
  /** `moat review`: the run has changed something that should be looked at. */
  toReview: 3,
  /** `moat wait`: no such agent, or it is not running. */
  notRunning: 10,
  /** `moat wait`: the agent ended while it was waited for. */
  crashed: 11,
  /** `moat wait`: the time is up. */
  timedOut: 12,
} as const

/** Every code a MoatError may carry: stable, for scripts that read `--json`. */
export type ErrorCode =
  | 'AGENT_NOT_FOUND'
  | 'AGENT_ENDED'
  | 'AGENT_NOT_RUNNING'
  | 'AMBIGUOUS_AGENT'
  | 'APPROVALS_BROKEN'
  | 'BARE_REPOSITORY'
  | 'BRANCH_CHECKED_OUT'
  | 'CADDY_DOWNLOAD'
  | 'CADDY_MISSING'
  | 'CADDY_TOO_OLD'
  | 'CADDY_FAILED'
  | 'CA_BROKEN'
  | 'CA_DOMAIN'
  | 'EGRESS_CA_BROKEN'
  | 'CLONE_FAILED'
  | 'CLONE_IN_WAY'
  | 'CLONE_NOT_FOUND'
  | 'CLONE_REFUSED'
  | 'CLONE_UNSAVED'
  | 'CONFIG_INVALID'
  | 'CONFIG_MISSING'
  | 'DOMAIN_MISMATCH'
  | 'ENDPOINT_TYPE'
  | 'ENGINE_FAILED'
  | 'ENGINE_MISMATCH'
  | 'ENGINE_UNREACHABLE'
  | 'FORBIDDEN'
  | 'GIT_FAILED'
  | 'GRANTS_BROKEN'
  | 'GRANT_CLASH'
  | 'GRANT_MISSING'
  | 'GRANT_PROVIDER'
  | 'GRANT_REFUSED'
  | 'GRANT_VALUE'
  | 'IMAGE_BUILD'
  | 'IMAGE_PULL'
  | 'INVALID_BRANCH'
  | 'HOME_UNUSABLE'
  | 'HOSTS_FAILED'
  | 'INVALID_ENV'
  | 'INVALID_NAME'
  | 'INVALID_PORT'
  | 'LOGIN_REFUSED'
  | 'MOAT_HOME_EXPOSED'
  | 'NAME_IN_USE'
  | 'NETWORK_OPEN'
  | 'NETWORK_RULES_BROKEN'
  | 'NOT_APPROVED'
  | 'NOT_A_REPOSITORY'
  | 'NO_COMMITS'
  | 'PATH_TOO_LONG'
  | 'PLUGIN_FAILED'
  | 'PORT_DENIED'
  | 'PORT_MISMATCH'
  | 'PORT_TAKEN'
  | 'REVIEW_FAILED'
  | 'SEAL_KEY'
  | 'SERVICE_FAILED'
  | 'SERVICE_NOT_FOUND'
  | 'SSH_HOST'
  | 'SSH_KEY'
  | 'SSH_MISSING'
  | 'SNAPSHOT_FAILED'
  | 'SNAPSHOT_MISSING'
  | 'SUPERVISOR_FAILED'
  | 'TRUST_FAILED'
  | 'REPOSITORY_UNSAFE'
  | 'USAGE'
  | 'VOLUME_IN_USE'
  | 'VOLUME_NOT_FOUND'
  | 'WAIT_TIMED_OUT'
  | 'WORKSPACE_MISSING'
  | 'WORKTREE_BROKEN'
  | 'WORKTREE_IN_THE_WAY'
  | 'WORKTREE_KEPT'
  | 'WORKTREE_MISSING'

export interface MoatErrorOptions {
  cause?: unknown
  /** Default: `exitCodes.failure`. */
  exit?: number
  /** What to do about it, most useful first; a command stands alone so that it can be copied. */
  suggestions?: string[]
}

/** What oclif puts into its errors, and looks for in any: the exit code. */
interface OclifError extends Error {
  code?: string
  oclif: { exit?: number }
}

/**
 * An error with a code, one sentence of what is wrong, and the commands that fix it. An error to oclif by what it carries, not
 * by its class: pressing TAB and the supervisor do without oclif.
 */
export class MoatError extends Error implements OclifError {
  readonly code: ErrorCode
  readonly oclif: { exit: number }
  readonly suggestions?: string[]

  constructor(code: ErrorCode, message: string, options: MoatErrorOptions = {}) {
    super(message)
    this.code = code
    this.oclif = { exit: options.exit ?? exitCodes.failure }
    if (options.suggestions) this.suggestions = options.suggestions
    if (options.cause !== undefined) this.cause = options.cause
  }
}

/** The JSON form of a MoatError: what `--json` prints, and how the supervisor hands one to a client. */
export interface SerializedError {
  code: ErrorCode
  exit: number
  message: string
  suggestions: string[]
}

export function serializeError(error: MoatError): SerializedError {
  return {
    code: error.code,
    exit: error.oclif.exit,
    message: error.message,
    suggestions: error.suggestions ?? [],
  }
}

export function deserializeError(data: SerializedError): MoatError {
  return new MoatError(data.code, data.message, { exit: data.exit, suggestions: data.suggestions })
}

/** True for an error of oclif's, also one of a plugin's own copy of oclif, of which `instanceof` knows nothing. */
export function isOclifError(error: unknown): error is OclifError {
  return error instanceof Error && 'oclif' in error
}

/** True for a process that is to end now, with a code and without a word. */
export function isExit(error: unknown): error is OclifError {
  return isOclifError(error) && error.code === 'EEXIT'
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The system error code (`ENOENT`, `EADDRINUSE`, …) of anything thrown, if it has one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
