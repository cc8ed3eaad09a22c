// Owns which of the user's accounts is meant: `--profile`, else `MOAT_PROFILE`, else the usual one.
import { exitCodes, MoatError } from '../errors.js'
import { isDnsLabel } from '../routing/dns-label.js'
import { defaultProfile } from './injection.js'

/** Throws INVALID_NAME. */
export function chooseProfile(flag: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  return validName(flag ?? (env.MOAT_PROFILE || defaultProfile), flag === undefined ? 'MOAT_PROFILE' : '--profile')
}

/** The name, when it can be one of a grant or profile. Throws INVALID_NAME. */
export function validName(name: string, what: string): string {
  if (isDnsLabel(name)) return name
  throw new MoatError(
    'INVALID_NAME',
    `${what} must be lowercase letters, digits and hyphens, not ${JSON.stringify(name)}.`,
    {
      exit: exitCodes.usage,
    },
  )
}
