// Owns the command by which a grant was made, so that what has to be made again can be: with its host, header and scopes, but without
// where its value is. Pure.
import { shellQuote } from '../config/shell-quote.js'
import type { Grant } from './grant.js'
import { grantCommand } from './injection.js'

/** What a grant is, as it was said. */
interface Said {
  basic?: string | undefined
  header?: string | undefined
  host?: readonly string[] | undefined
  query?: string | undefined
  scope?: readonly string[] | undefined
  variable?: readonly string[] | undefined
}

/** The first is the provider, or a name of the user's own. */
export function grantWords(word: string, { basic, header, host, query, scope, variable }: Said): string[] {
  const said = Object.entries({ host, header, query, basic, scope, variable })
  return [word, ...said.flatMap(([flag, given]) => [given ?? []].flat().flatMap((text) => [`--${flag}`, text]))]
}

/** `moat grant gitlab --as work-gitlab --host gitlab.acme.test`, for whatever else is to stand behind it. */
export function grantAgain(grant: Pick<Grant, 'name' | 'profile' | 'words'>): string {
  const { name, profile, words } = grant
  // Of a moat that did not write them down.
  if (!words) return `moat grant ${grantCommand({ name, profile })}`
  const [word = name, ...more] = words
  const own = word === name ? [] : ['--as', name]
  const command = grantCommand({ name: shellQuote(word), profile })
  return ['moat grant', command, ...[...own, ...more].map(shellQuote)].join(' ')
}
