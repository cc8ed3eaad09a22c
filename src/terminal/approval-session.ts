// Owns the question that goes before a run: what moat.yaml asks for beyond its container, and whether that is allowed.
import { approvalPlace } from '../approvals/approval-place.js'
import { type Judgement, judge } from '../approvals/judge.js'
import type { AskedPower } from '../approvals/power.js'
import { addApprovals, readApprovals } from '../approvals/records.js'
import type { MoatPaths } from '../config/paths.js'
import { loadSettings } from '../config/settings.js'
import { visible } from '../config/visible.js'
import { exitCodes, MoatError } from '../errors.js'
import { confirm } from './confirm.js'
import { formatPowers } from './format-powers.js'

export interface ApprovalSessionOptions {
  /** False where nobody may be asked. */
  ask: boolean
  /** Shown by errors: what to run instead. */
  commands: string[]
  paths: MoatPaths
  /** Answers the question. */
  yes: boolean
}

export interface ApprovalOutcome {
  approved: AskedPower[]
  /** Whose approvals these are. */
  path: string
}

/** What an agent's plan says to this. */
export interface PlannedPowers {
  displayFile: string
  powers: readonly AskedPower[]
  workspace: string
}

/**
 * Resolves once everything is allowed; what was not before is asked about and remembered. Throws FORBIDDEN, and
 * NOT_APPROVED where nobody can be asked or the answer is no.
 */
export async function askApproval(plan: PlannedPowers, options: ApprovalSessionOptions): Promise<ApprovalOutcome> {
  const { paths } = options
  if (plan.powers.length === 0) return { approved: [], path: plan.workspace }
  const settings = await loadSettings(paths.configFile)
  const path = await approvalPlace(plan.workspace, paths.worktrees)
  const known = (await readApprovals(paths.approvals, path))?.powers ?? []
  const judgement = await judge(plan.powers, settings, known)
  if (judgement.forbidden.length > 0) throw forbidden(plan, judgement, paths)
  const approved = judgement.pending
  if (approved.length === 0) return { approved, path }
  const title = `${visible(plan.displayFile)} asks for ${known.length > 0 ? 'more than you have allowed it' : 'what reaches beyond its container'}:`
  const list = formatPowers(marked(judgement))
  if (!options.yes && !(await agreed(title, list, options.ask))) {
    throw new MoatError('NOT_APPROVED', [`${title}`, ...list, 'Nothing was started.'].join('\n'), {
      exit: exitCodes.usage,
      suggestions: options.commands,
    })
  }
  await addApprovals(paths.approvals, path, approved)
  return { approved, path }
}

/** False without a terminal, and for a no. */
async function agreed(title: string, list: string[], ask: boolean): Promise<boolean> {
  if (!ask || !process.stdin.isTTY || !process.stderr.isTTY) return false
  process.stderr.write(`${[title, '', ...list, ''].join('\n')}\n`)
  if (await confirm('Allow this?')) return true
  throw new MoatError('NOT_APPROVED', 'Not allowed, so nothing was started.', { exit: exitCodes.usage })
}

/** The difference: what is new, and what it may have come in the place of. */
function marked({ gone, pending }: Judgement) {
  const mark = gone.length > 0 ? '+' : ' '
  return [...gone.map((power) => ({ ...power, mark: '-' })), ...pending.map((power) => ({ ...power, mark }))]
}

function forbidden(
  { displayFile }: PlannedPowers,
  { forbidden: all }: Judgement,
  { configFile }: MoatPaths,
): MoatError {
  const patterns = all.map(({ pattern, power }) => `never.${power.key} has ${JSON.stringify(pattern)}`)
  const list = formatPowers(all.map(({ power }) => power))
  const message = `${visible(displayFile)} asks for what your ${visible(configFile)} forbids (${visible([...new Set(patterns)].join('; '))}):`
  return new MoatError('FORBIDDEN', [message, ...list, 'Nothing was started.'].join('\n'), { exit: exitCodes.usage })
}
