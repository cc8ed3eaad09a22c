// Owns which grants an agent is to have: those of moat.yaml and of flags, each of the profile that the user has chosen.
import type { MoatYaml } from '../config/moat-yaml.js'
import { exitCodes, MoatError } from '../errors.js'
import type { GrantSource } from '../grants/grant.js'
import { formatGrant, type GrantName, parseGrant } from '../grants/injection.js'
import { chooseProfile } from '../grants/profile.js'
import { parseReference } from '../grants/read-value.js'
import { isDnsLabel } from '../routing/dns-label.js'

export interface PlannedGrants {
  grants: GrantName[]
  /** In the order of moat.yaml, then of flags, as they are asked about. */
  powers: { name: string; own: boolean }[]
  /** Variables, and where their values are. */
  secrets: PlannedSecret[]
}

export interface PlannedSecret {
  name: string
  source: GrantSource
}

export interface GrantRequest {
  /** `--grant`, each as it was typed: a name, or `name@profile`. */
  grants?: string[]
  /** `--profile` */
  profile?: string
  /** Variables that flags set: they win, and nothing is read for them. */
  env: Readonly<Record<string, string>>
}

/** Throws USAGE for what is no name of a grant. */
export function planGrants(
  { grants, secrets }: Pick<MoatYaml, 'grants' | 'secrets'>,
  request: GrantRequest,
): PlannedGrants {
  const own = request.grants ?? []
  for (const text of own) if (!text.split('@').every(isDnsLabel) || text.split('@').length > 2) throw wrongName(text)
  const needsProfile = grants.length > 0 || own.some((text) => !text.includes('@'))
  const profile = needsProfile ? chooseProfile(request.profile) : ''
  const named = (text: string) => (text.includes('@') ? parseGrant(text) : { name: text, profile })
  const powers = [
    ...grants.map((name) => ({ name: formatGrant({ name, profile }), own: false })),
    ...own.map((text) => ({ name: formatGrant(named(text)), own: true })),
  ]
  return {
    grants: [...new Set(powers.map(({ name }) => name))].map(parseGrant),
    powers,
    secrets: Object.entries(secrets).flatMap(([name, text]) => {
      const source = name in request.env ? undefined : parseReference(text)
      return source ? [{ name, source }] : []
    }),
  }
}

function wrongName(text: string): MoatError {
  return new MoatError('USAGE', `--grant takes the name of a grant, not ${JSON.stringify(text)}.`, {
    exit: exitCodes.usage,
    suggestions: ['moat run --grant github', 'moat grant list'],
  })
}
