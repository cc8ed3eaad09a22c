// Owns making a grant: its provider, where its value is, whether the service takes it, and keeping it.
import { exitCodes, MoatError } from '../errors.js'
import { isSshGrant } from '../routing/grant-name.js'
import type { SshWishes } from '../ssh/find-access.js'
import { checkGrant } from './check-grant.js'
import { fillProvider, hasOpenHost, hasScopes } from './fill-provider.js'
import { findSource, type SourceOptions, type SourceWishes } from './find-source.js'
import { genericProvider, parseHostFlag } from './generic-provider.js'
import { type Grant, type GrantView, viewGrant } from './grant.js'
import { grantAgain, grantWords } from './grant-words.js'
import { assertNoSshWishes, planSshGrant } from './make-ssh-grant.js'
import { validName } from './profile.js'
import type { GrantProvider } from './provider.js'
import { findProvider, type Providers } from './providers.js'
import { readValue } from './read-value.js'
import { readGrant, writeGrant } from './store.js'

/** What the user said, by flags. */
export interface GrantWishes extends SourceWishes, SshWishes {
  /** Another name than the provider's. */
  as?: string | undefined
  basic?: string | undefined
  /** False to store it without asking the service. */
  check: boolean
  header?: string | undefined
  host?: string[] | undefined
  query?: string | undefined
  scope?: string[] | undefined
  variable?: string[] | undefined
}

export interface GrantOptions extends SourceOptions {
  /** Where grants are kept. */
  directory: string
  note: (line: string) => void
  profile: string
}

/** What `moat grant --json` prints. */
export interface MadeGrant extends GrantView {
  /** True when the service was asked, and took it. */
  checked: boolean
  /** True when there was one of that name before. */
  replaced: boolean
  /** Whose value it is, in the service's words. */
  who?: string
}

/** Throws USAGE, GRANT_PROVIDER, GRANT_MISSING, GRANT_VALUE, GRANT_REFUSED, SSH_HOST and SSH_KEY; then nothing has changed. */
export async function makeGrant(
  word: string,
  wishes: GrantWishes,
  providers: () => Promise<Providers>,
  options: GrantOptions,
): Promise<MadeGrant> {
  const { directory, note, profile } = options
  if (isSshGrant(word)) return makeSshGrant(word, wishes, options)
  assertNoSshWishes(word, wishes)
  const name = validName(wishes.as ?? word, wishes.as === undefined ? 'The name of a grant' : '--as')
  const provider = await chooseProvider(word, wishes, await providers())
  const words = grantWords(word, wishes)
  const again = grantAgain({ name, profile, words })
  const { source, where } = await findSource(word, provider, wishes, { ...options, again })
  const grant: Grant = { createdAt: new Date().toISOString(), name, profile, provider, source, words }
  if (where !== undefined) note(`The value is that of ${where}.`)
  const { secret } = await readValue(grant, options)
  const { asked, who } = wishes.check ? await checkGrant(grant, secret) : { asked: false }
  const replaced = await keep(grant, directory, note)
  return { ...viewGrant(grant), checked: asked, replaced, ...(who !== undefined && { who }) }
}

async function makeSshGrant(
  word: string,
  wishes: GrantWishes,
  { directory, env, note, profile }: GrantOptions,
): Promise<MadeGrant> {
  const planned = await planSshGrant(word, wishes, env)
  const grant: Grant = { ...planned, createdAt: new Date().toISOString(), profile }
  return { ...viewGrant(grant), checked: false, replaced: await keep(grant, directory, note) }
}

/** True when there was one of that name before. */
async function keep(grant: Grant, directory: string, note: (line: string) => void): Promise<boolean> {
  const replaced = (await readGrant(directory, grant).catch(() => true)) !== undefined
  await writeGrant(directory, grant, { note })
  return replaced
}

async function chooseProvider(word: string, wishes: GrantWishes, providers: Providers): Promise<GrantProvider> {
  const { basic, header, host = [], query, scope = [], variable = [] } = wishes
  const hosts = await Promise.all(host.map(parseHostFlag))
  const isGeneric = [basic, header, query].some((way) => way !== undefined)
  if (!providers.has(word) && (isGeneric || hosts.length > 0)) {
    if (hosts.length === 0)
      throw usage('A grant of your own needs the host that gets its value.', [
        `moat grant ${word} --host api.example.com --header X-Api-Key`,
      ])
    return genericProvider(word, { basic, header, hosts, query, variables: variable })
  }
  const { provider } = findProvider(providers, word)
  if (isGeneric || variable.length > 0) {
    throw usage(
      `moat knows how ${provider.title} takes its value: leave out --header, --query, --basic and --variable, or give the grant a name of its own.`,
      [`moat grant ${word}`, `moat grant my-${word} --host api.example.com --header X-Api-Key`],
    )
  }
  if (hosts.length > 1) throw usage('--host can be given once for a provider that moat knows.', [])
  if (hosts.length > 0 && !hasOpenHost(provider))
    throw usage(`${provider.title} is always at the same hosts.`, [`moat grant ${word}`])
  if (scope.length > 0 && !hasScopes(provider)) throw usage(`${provider.title} has no scopes.`, [`moat grant ${word}`])
  const wrong = scope.find((one) => !/^@[a-z0-9~-][a-z0-9._~-]*$/.test(one))
  if (wrong !== undefined) throw usage(`--scope takes a scope such as @acme, not ${JSON.stringify(wrong)}.`, [])
  const [first] = hosts
  return fillProvider(provider, { ...(first && { host: first }), scopes: scope })
}

function usage(message: string, suggestions: string[]): MoatError {
  return new MoatError('USAGE', message, { exit: exitCodes.usage, suggestions })
}
