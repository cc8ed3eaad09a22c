// Owns the flag that says which of the user's accounts is meant, for every command about grants.
import { Flags } from '@oclif/core'
import { chooseProfile } from '../grants/profile.js'

const profile = Flags.string({ description: 'Which of your accounts; default: MOAT_PROFILE, else default' })

export const profileFlag = { profile }

const several = { multiple: true, multipleNonGreedy: true } as const
/** A value comes from one place. */
const others = (flag: string) => ({ exclusive: ['command', 'env', 'from', 'stdin'].filter((name) => name !== flag) })

/** Of `moat grant` itself. */
export const grantFlags = {
  as: Flags.string({ description: 'Name of the grant; default: that of the provider' }),
  basic: Flags.string({ description: 'Username that the value is the password of', exclusive: ['header', 'query'] }),
  check: Flags.boolean({ allowNo: true, default: true, description: 'Ask the service whether it takes the value' }),
  command: Flags.string({
    description: 'Have the value printed by this command, whenever it is needed',
    ...others('command'),
  }),
  env: Flags.string({
    description: 'Take the value from this variable of the proxy, whenever it is needed',
    ...others('env'),
  }),
  from: Flags.string({ description: 'Where the value is: op://…, file://… or env://…', ...others('from') }),
  header: Flags.string({ description: 'Header to set: a name, or "Name: text with {token}"', exclusive: ['query'] }),
  host: Flags.string({ description: 'Host that gets the value, with :port if it is not 443', ...several }),
  confirm: Flags.boolean({ description: 'Of ssh: ask you before each login' }),
  key: Flags.string({ description: 'Of ssh: a key of yours, by its fingerprint or its .pub file', ...several }),
  query: Flags.string({ description: 'Parameter of the query to set' }),
  scope: Flags.string({ description: 'Scope of packages that are at the host: @acme', ...several }),
  'sign-commits': Flags.boolean({ description: 'Of ssh: sign commits as well' }),
  stdin: Flags.boolean({ description: 'Read the value from stdin', ...others('stdin') }),
  variable: Flags.string({ description: 'Variable that the container has with a placeholder in it', ...several }),
  ...profileFlag,
}

export const allProfilesFlag = {
  profile: Flags.string({ description: 'Only those of this account of yours; default: MOAT_PROFILE, else all' }),
}

/** Undefined for all. */
export function chosenProfile({ profile: flag }: { profile?: string | undefined }): string | undefined {
  return flag === undefined && !process.env.MOAT_PROFILE ? undefined : chooseProfile(flag)
}
