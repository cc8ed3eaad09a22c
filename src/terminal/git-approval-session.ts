// Owns the question whether what a guard has put back in a repository's config was its user's own.
import { resolve } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { realPlace } from '../config/real-path.js'
import { shellQuote } from '../config/shell-quote.js'
import { visible } from '../config/visible.js'
import { exitCodes, MoatError } from '../errors.js'
import { allowSettings, refusedSettings } from '../guard/allowed-settings.js'
import { mainCheckoutAt } from '../worktrees/main-checkout.js'
import type { ConfigEntry } from '../worktrees/repository-config.js'
import { confirm } from './confirm.js'
import { formatPowers } from './format-powers.js'

export interface GitApproval {
  path: string
  /** What was set again, and is let be from now on. */
  settings: ConfigEntry[]
}

export interface GitApprovalOptions {
  /** False where nobody may be asked. */
  ask: boolean
  paths: Pick<MoatPaths, 'home'>
  /** Answers the question. */
  yes: boolean
}

/** Throws USAGE for what is no main checkout, NOT_APPROVED for a no, or where nobody can be asked. */
export async function askGitApproval(
  path: string,
  { ask, paths, yes }: GitApprovalOptions,
): Promise<GitApproval & { list: string[] }> {
  const workspace = await realPlace(resolve(path))
  const place = await mainCheckoutAt(workspace)
  if (!place) {
    throw new MoatError('USAGE', `${workspace} is no main checkout of a git repository.`, {
      exit: exitCodes.usage,
      suggestions: ['moat approve --git <path>'],
    })
  }
  const settings = await refusedSettings(place, paths.home)
  const list = formatPowers(settings.map(({ key, value = 'true' }) => ({ name: key, value })))
  if (settings.length === 0) return { list, path: workspace, settings }
  const title = `This was put back in the git config of ${visible(workspace)}, while an agent could write there:`
  if (!yes && !(await agreed([title, '', ...list, ''], ask))) {
    throw new MoatError('NOT_APPROVED', [title, ...list, 'Nothing was set.'].join('\n'), {
      exit: exitCodes.usage,
      suggestions: [`moat approve --git --yes ${shellQuote(path)}`],
    })
  }
  await allowSettings(place, paths.home, settings)
  return { list, path: workspace, settings }
}

async function agreed(lines: string[], ask: boolean): Promise<boolean> {
  if (!ask || !process.stdin.isTTY || !process.stderr.isTTY) return false
  process.stderr.write(`${lines.join('\n')}\n`)
  return (await confirm('Is all of it yours?')) === true
}
