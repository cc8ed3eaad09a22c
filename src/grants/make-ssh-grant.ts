// Owns making a grant for logins by ssh: nothing secret is kept, only which keys of the user's may sign for which host.
import { exitCodes, MoatError } from '../errors.js'
import { sshTarget } from '../routing/grant-name.js'
import type { SshAccess } from '../ssh/access.js'
import { findSshAccess, type SshWishes } from '../ssh/find-access.js'
import { knownName } from '../ssh/known-hosts.js'
import { keyType } from '../ssh/public-key.js'
import type { Grant } from './grant.js'
import type { GrantProvider } from './provider.js'

/** What is said of grants that have a value. */
export interface OtherWishes {
  as?: string | undefined
  basic?: string | undefined
  command?: string | undefined
  env?: string | undefined
  from?: string | undefined
  header?: string | undefined
  host?: readonly string[] | undefined
  input?: string | undefined
  query?: string | undefined
  scope?: readonly string[] | undefined
  variable?: readonly string[] | undefined
}

/** Throws USAGE, SSH_HOST, SSH_KEY and SSH_MISSING. `word` is such as `ssh:github.com`. */
export async function planSshGrant(
  word: string,
  wishes: OtherWishes & SshWishes,
  env?: NodeJS.ProcessEnv,
): Promise<Pick<Grant, 'name' | 'provider' | 'source'>> {
  const target = sshTarget(word)
  if (!target)
    throw usage(
      `${JSON.stringify(word)} is no ssh grant: it is ssh: and a host in lowercase letters, with a port only if it is not 22.`,
      ['moat grant ssh:github.com', 'moat grant ssh:git.example.com:2222'],
    )
  const { as, basic, command, env: variable, from, header, host, input, query, scope, variable: more } = wishes
  const others = { as, basic, command, env: variable, from, header, host, query, scope, stdin: input, variable: more }
  const [given] = Object.entries(others).find(([, value]) => value !== undefined) ?? []
  if (given !== undefined)
    throw usage(
      `--${given} is not for ssh: nothing is put into requests there, and the grant is named after its host.`,
      [`moat grant ${word} --key ~/.ssh/id_ed25519.pub`],
    )
  const access = await findSshAccess(target, wishes, env)
  return { name: word, provider: sshProvider(access), source: { access, kind: 'ssh' } }
}

/** Throws USAGE for what is for ssh only. */
export function assertNoSshWishes(word: string, { confirm, key, signCommits }: SshWishes): void {
  const flag = key ? '--key' : confirm ? '--confirm' : signCommits ? '--sign-commits' : undefined
  if (flag !== undefined)
    throw usage(`${flag} is for ssh, and ${word} is not.`, [
      `moat grant ssh:github.com ${flag === '--key' ? '--key ~/.ssh/id_ed25519.pub' : flag}`,
    ])
}

/** What the container has: the keys of the host, so that its ssh asks nobody, and what git needs in order to sign. */
function sshProvider({ host, hostKeys, keys, port, signs }: SshAccess): GrantProvider {
  const lines = hostKeys.map((key) => `${knownName(host, port)} ${lineOf(key)}\n`)
  const [key] = keys
  return {
    container: {
      files: { known_hosts: lines.join('') },
      ...(signs &&
        key && {
          git: { 'commit.gpgSign': 'true', 'gpg.format': 'ssh', 'user.signingKey': `key::${lineOf(key.blob)}` },
        }),
    },
    inject: [],
    name: 'ssh',
    title: `ssh at ${host}`,
  }
}

function lineOf(blob: string): string {
  return `${keyType(Buffer.from(blob, 'base64'))} ${blob}`
}

function usage(message: string, suggestions: string[]): MoatError {
  return new MoatError('USAGE', message, { exit: exitCodes.usage, suggestions })
}
