// Owns what becomes of git's own files when an agent has worked with them: nothing stays that would lead a git on the host astray, and
// what is harmless in the container's config is kept.
import { MoatError, messageOf } from '../errors.js'
import { carryUpstreams } from './carry-upstreams.js'
import { findCheckout, placeOf } from './find-checkout.js'
import type { GitPlace } from './git-place.js'
import { mainCheckoutAt } from './main-checkout.js'
import { removeLinks } from './remove-links.js'

/** Of the checkout that `workspace`, a real path, is; what a person should know of it. `home` is the `~/.moat`. */
export async function settleCheckout(workspace: string, home: string): Promise<string[]> {
  try {
    const place = await checkoutAt(workspace)
    if (!place) return []
    const links = await removeLinks(place)
    await carryUpstreams(place, home)
    return links.length === 0 ? [] : [saidOf(links)]
  } catch (error) {
    // What no run begins in, the next one says why.
    if (error instanceof MoatError) return []
    return [`git's files in ${workspace} could not be looked at: ${messageOf(error)}`]
  }
}

/** Undefined for what agents are given no git for. */
async function checkoutAt(workspace: string): Promise<GitPlace | undefined> {
  const linked = await findCheckout(workspace)
  if (!linked) return mainCheckoutAt(workspace)
  return linked.root === workspace ? placeOf(linked) : undefined
}

function saidOf(links: readonly string[]): string {
  const [shown, more] = [links.slice(0, 3).join(', '), links.length - 3]
  const rest = more > 0 ? `, and ${more} more` : ''
  return `Removed symbolic links among git's files, which git does not make and your git would have written through: ${shown}${rest}`
}
