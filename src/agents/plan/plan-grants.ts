// Owns which grants an agent is to have: those of moat.yaml and of flags, each of the profile that the user has chosen.
import type { MoatYaml } from '../../config/moat-yaml.js'
import { realPlace } from '../../config/real-path.js'
import { exitCodes, MoatError } from '../../errors.js'
import type { GrantSource } from '../../grants/grant.js'
import { formatGrant, type GrantName, parseGrant } from '../../grants/injection.js'
import { chooseProfile } from '../../grants/profile.js'
import { parseReference } from '../../grants/read-value.js'
import { isDnsLabel } from '../../routing/dns-label.js'
import { isGrantName } from '../../routing/grant-name.js'

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
  /** What is asked about. */
  text: string
}

export interface GrantRequest {
  /** `--grant`, each as it was typed: a name, or `name@profile`. */
  grants?: string[]
  /** `--profile` */
  profile?: string
  /** Variables that flags set: they win, and nothing is read for them. */
  env: Readonly<Record<string, string>>
}

/** Throws USAGE for what is not a valid name for a grant. */
export async function planGrants(
  { grants, secrets }: Pick<MoatYaml, 'grants' | 'secrets'>,
  request: GrantRequest,
): Promise<PlannedGrants> {
  const own = request.grants ?? []
  for (const text of own) if (!isWord(text)) throw wrongName(text)
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
    secrets: (await Promise.all(Object.entries(secrets).map(([name, text]) => plannedSecret(name, text)))).filter(
      ({ name }) => !(name in request.env),
    ),
  }
}

/** A file as it is found now: an agent may have put a link to another one of the user's where it was. */
async function plannedSecret(name: string, text: string): Promise<PlannedSecret> {
  const source = parseReference(text)
  if (source?.kind !== 'file') return { name, source: source ?? { kind: 'op', reference: text }, text }
  const path = await realPlace(source.path)
  return { name, source: { kind: 'file', path }, text: `file://${path}` }
}

/** A name, or `name@profile`. */
function isWord(text: string): boolean {
  const [name = '', profile, ...more] = text.split('@')
  return isGrantName(name) && (profile === undefined || isDnsLabel(profile)) && more.length === 0
}

function wrongName(text: string): MoatError {
  return new MoatError('USAGE', `--grant takes the name of a grant, not ${JSON.stringify(text)}.`, {
    exit: exitCodes.usage,
    suggestions: ['moat run --grant github', 'moat run --grant ssh:github.com', 'moat grant list'],
  })
}
