// Owns the flag that says which of the user's accounts is meant, for every command about grants.
import { Flags } from '@oclif/core'
import { chooseProfile } from '../grants/profile.js'

const profile = Flags.string({ description: 'Which of your accounts; default: MOAT_PROFILE, else default' })

export const profileFlag = { profile }

export const allProfilesFlag = {
  profile: Flags.string({ description: 'Only those of this account of yours; default: MOAT_PROFILE, else all' }),
}

/** Undefined for all. */
export function chosenProfile({ profile: flag }: { profile?: string | undefined }): string | undefined {
  return flag === undefined && !process.env.MOAT_PROFILE ? undefined : chooseProfile(flag)
}
