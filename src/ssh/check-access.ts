// Owns whether what a grant for ssh rests on is still there: the user's keys, and the keys of the host.
import { messageOf } from '../errors.js'
import type { SshAccess } from './access.js'
import { findHostKeys, knownName } from './known-hosts.js'
import { fingerprint } from './public-key.js'
import { readSshSettings } from './ssh-settings.js'
import { listAgentKeys } from './user-agent.js'
import { withKeyFile } from './with-key-file.js'

/** What is wrong, as a sentence; undefined when nothing is. */
export async function checkAccess(access: SshAccess, env = process.env): Promise<string | undefined> {
  const { agentSocket = env.SSH_AUTH_SOCK, host, hostKeys, keys, port } = access
  for (const { blob, file } of keys) {
    if (file !== undefined) {
      const problem = await withKeyFile(file, async () => undefined).catch(messageOf)
      if (problem !== undefined) return `${file} cannot be used: ${problem}.`
      continue
    }
    if (!agentSocket) return 'There is no ssh agent here (SSH_AUTH_SOCK is not set).'
    const held = await listAgentKeys(agentSocket).catch(() => undefined)
    if (!held) return `No ssh agent answers at ${agentSocket}.`
    if (!held.some((key) => key.blob === blob)) return `Your ssh agent does not have the key ${fingerprint(blob)}.`
  }
  const settings = await readSshSettings(host, port === 22 ? undefined : port, env)
  const known = await findHostKeys(settings.alias ?? knownName(host, port), settings.knownHosts, env)
  if (hostKeys.some((key) => known.includes(key))) return undefined
  return `Your known_hosts has other keys for ${host} than when this was granted.`
}
