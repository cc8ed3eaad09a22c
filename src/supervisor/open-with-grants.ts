// Owns bringing together what agents have by the doors and what Caddy opens with what grants allow them.
import type { DoorsOptions } from '../doors/doors.js'
import { messageOf } from '../errors.js'
import type { Grants } from '../grants/grants.js'
import { Opening, type OpeningOptions } from '../opening/opening.js'

export function openWithGrants(grants: Grants, options: Pick<OpeningOptions, 'binary' | 'log' | 'paths'>): Opening {
  return new Opening({
    ...options,
    grantMark: (grant) => grants.markOf(grant),
    grantsOf: (agent) => grants.placesOf(agent.grants, (error) => options.log(messageOf(error))),
    refused: (names, place) => void grants.refused(names, place),
    valueFor: (question) => grants.secretsFor(question),
  })
}

export function doorsForGrants(
  grants: Grants,
  log: (message: string) => void,
): Pick<DoorsOptions, 'accessesOf' | 'grantMark'> {
  return {
    accessesOf: (names) => grants.accessesOf(names, (error) => log(messageOf(error))),
    grantMark: (grant) => grants.markOf(grant),
  }
}
