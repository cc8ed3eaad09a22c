// Owns what is done before a run about grants that there are not: ask, where somebody can answer, else say what makes each.
import type { MoatPaths } from '../config/paths.js'
import { exitCodes, MoatError } from '../errors.js'
import { formatGrant, type GrantName, grantCommand } from '../grants/injection.js'
import { makeGrant } from '../grants/make-grant.js'
import type { Providers } from '../grants/providers.js'
import { grantNames } from '../grants/store.js'
import { askHidden } from './ask-hidden.js'
import { confirm } from './confirm.js'
import { describeMade } from './format-grants.js'

export interface GrantsSessionOptions {
  /** False where nobody may be asked. */
  ask: boolean
  paths: MoatPaths
  providers: () => Promise<Providers>
}

/** Resolves once there are all of them. Throws GRANT_MISSING, which names each and its command. */
export async function askGrants(
  wanted: readonly GrantName[],
  { ask, paths, providers }: GrantsSessionOptions,
): Promise<void> {
  if (wanted.length === 0) return
  const there = new Set((await grantNames(paths.grants)).map(formatGrant))
  const missing = wanted.filter((name) => !there.has(formatGrant(name)))
  if (missing.length === 0) return
  if (!ask || !process.stdin.isTTY || !process.stderr.isTTY) throw missingError(missing)
  const tell = (line: string) => process.stderr.write(`${line}\n`)
  for (const [index, { name, profile }] of missing.entries()) {
    const yes = await confirm(`There is no grant ${formatGrant({ name, profile })}. Grant ${name} now?`, 'yes')
    if (!yes) throw missingError(missing.slice(index))
    const options = { directory: paths.grants, note: tell, profile, type: askHidden }
    const made = await makeGrant(name, { check: true }, providers, options)
    describeMade(made).slice(0, 2).forEach(tell)
  }
}

function missingError(missing: readonly GrantName[]): MoatError {
  const names = missing.map(formatGrant)
  const message =
    names.length === 1
      ? `There is no grant ${names[0]}, so nothing was started.`
      : `There are no grants ${names.join(', ')}, so nothing was started.`
  return new MoatError('GRANT_MISSING', message, {
    exit: exitCodes.usage,
    suggestions: missing.map((name) => `moat grant ${grantCommand(name)}`),
  })
}
