// Owns finding the grant that is meant, giving it another name, and what is said where there is none.
import { exitCodes, MoatError } from '../errors.js'
import { isGrantName, isSshGrant } from '../routing/grant-name.js'
import { nearestName } from '../routing/nearest-name.js'
import type { Grant } from './grant.js'
import { formatGrant, type GrantName, grantCommand } from './injection.js'
import { validName } from './profile.js'
import { grantNames, readGrant, removeGrant, writeGrant } from './store.js'

export async function missingGrant(directory: string, wanted: GrantName): Promise<MoatError> {
  const all = await grantNames(directory)
  const near = nearestName(
    wanted.name,
    all.filter(({ profile }) => profile === wanted.profile).map(({ name }) => name),
  )
  const elsewhere = all.find(({ name, profile }) => name === wanted.name && profile !== wanted.profile)
  const where = elsewhere ? ` There is one in the profile ${elsewhere.profile}.` : ''
  return new MoatError('GRANT_MISSING', `There is no grant ${formatGrant(wanted)}.${where}`, {
    exit: exitCodes.usage,
    suggestions: [
      ...(near === undefined ? [] : [`moat grant show ${near}`]),
      'moat grant list',
      `moat grant ${grantCommand(wanted)}`,
    ],
  })
}

/** The name, when there can be a grant of that name. Throws INVALID_NAME. */
export function namedGrant(name: string, profile: string): GrantName {
  return { name: isSshGrant(name) && isGrantName(name) ? name : validName(name, 'The name of a grant'), profile }
}

/** Throws GRANT_MISSING, and GRANT_CLASH when there is one of the new name. */
export async function renameGrant(directory: string, from: GrantName, to: string): Promise<Grant> {
  const grant = await readGrant(directory, from)
  if (!grant) throw await missingGrant(directory, from)
  if (grant.source.kind === 'ssh') {
    throw new MoatError('USAGE', 'A grant for ssh is named after its host. For several accounts there are profiles.', {
      exit: exitCodes.usage,
      suggestions: [`moat grant ${from.name} --profile work`],
    })
  }
  const renamed = { name: validName(to, 'The new name'), profile: from.profile }
  if (to === from.name) throw new MoatError('USAGE', `The grant is called ${to} already.`, { exit: exitCodes.usage })
  if (await readGrant(directory, renamed)) {
    throw new MoatError('GRANT_CLASH', `There is a grant ${to} already.`, {
      exit: exitCodes.usage,
      suggestions: [`moat grant show ${grantCommand(renamed)}`, `moat grant revoke ${grantCommand(renamed)}`],
    })
  }
  const next = { ...grant, ...renamed }
  await writeGrant(directory, next)
  await removeGrant(directory, from)
  return next
}
