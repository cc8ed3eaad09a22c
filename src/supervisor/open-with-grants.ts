// Owns bringing together what Caddy opens and what grants put into it.
import { messageOf } from '../errors.js'
import { Grants } from '../grants/grants.js'
import { Opening, type OpeningOptions } from '../opening/opening.js'

export function openWithGrants(options: Pick<OpeningOptions, 'binary' | 'log' | 'paths'>): Opening {
  const grants = new Grants(options.paths)
  return new Opening({
    ...options,
    grantsOf: (agent) => grants.placesOf(agent.grants, (error) => options.log(messageOf(error))),
    refused: (names, place) => void grants.refused(names, place),
    valueFor: (question) => grants.secretsFor(question),
  })
}
