// Owns the check of the user's grants: that each can be read, has a value, and that its service takes it.
import { MoatError, messageOf } from '../errors.js'
import { checkGrant } from '../grants/check-grant.js'
import type { Grant } from '../grants/grant.js'
import { grantAgain } from '../grants/grant-words.js'
import { formatGrant, grantCommand } from '../grants/injection.js'
import { readValue } from '../grants/read-value.js'
import { listGrants } from '../grants/store.js'
import type { SshAccess } from '../ssh/access.js'
import { checkAccess } from '../ssh/check-access.js'
import { type DoctorContext, type Finding, fail, failure, ok, warn } from './diagnosis.js'

/** Milliseconds; all are asked at once. */
const patience = 10_000

export async function checkGrants(
  { env, paths }: Pick<DoctorContext, 'env' | 'paths'>,
  check: typeof checkGrant = checkGrant,
): Promise<Finding[]> {
  const { broken, grants } = await listGrants(paths.grants)
  const found = await Promise.all(grants.map((grant) => findingOf(grant, env, check)))
  return [...broken.map(({ error, name }) => failure(nameOf(name), error)), ...found]
}

async function findingOf(grant: Grant, env: NodeJS.ProcessEnv, check: typeof checkGrant): Promise<Finding> {
  const name = nameOf(grant)
  try {
    if (grant.source.kind === 'ssh') return await sshFinding(grant, grant.source.access, env)
    const { secret } = await readValue(grant, { env, timeout: patience })
    const { asked, who } = await check(grant, secret, { timeout: patience })
    if (!asked) return ok(name, `It has a value; ${grant.provider.title} cannot be asked about it.`)
    return ok(name, `${grant.provider.title} takes its value${who === undefined ? '' : ` (${who})`}.`)
  } catch (error) {
    if (!(error instanceof MoatError)) return fail(name, messageOf(error), [`moat grant show ${grantCommand(grant)}`])
    // A variable that is not set here may be set for the proxy, and a service that cannot be asked says nothing of a value.
    const isUnheard = error.code === 'GRANT_REFUSED' && !/ refuses /.test(error.message)
    const isSure = !isUnheard && (error.code === 'GRANT_REFUSED' || grant.source.kind !== 'env')
    // Nor is another value of use then.
    return (isSure ? fail : warn)(name, error.message, isUnheard ? [] : [grantAgain(grant)])
  }
}

async function sshFinding(grant: Grant, access: SshAccess, env: NodeJS.ProcessEnv): Promise<Finding> {
  const problem = await checkAccess(access, env)
  if (problem === undefined) return ok(nameOf(grant), `Its keys and those of ${access.host} are as they were granted.`)
  return warn(nameOf(grant), problem, [`moat grant ${grantCommand(grant)}`])
}

function nameOf(name: Parameters<typeof formatGrant>[0]): string {
  return `grant ${formatGrant(name)}`
}
