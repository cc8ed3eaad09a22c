// Owns what the user's ssh itself says of a host: which keys it would show, which agent it asks, where it keeps hosts' keys. Asked
// of ssh, which alone knows how its files are read.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from './run-program.js'

export interface SshSettings {
  /** Path of an agent's socket, where the settings name one; 'none' for none. */
  agent?: string
  /** The name under which known_hosts has it, where it is another. */
  alias?: string
  /** Where it really connects to. */
  hostname: string
  /** Files of private keys, as they are named; they need not be there. */
  identityFiles: string[]
  /** True when the user has named those files. */
  isChosen: boolean
  knownHosts: string[]
  port: number
}

const usual = /^~\/\.ssh\/id_(rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss)$/

/** Rejects when there is no ssh. */
export async function readSshSettings(host: string, port: number | undefined, env = process.env): Promise<SshSettings> {
  const asked = ['-G', ...(port === undefined ? [] : ['-p', `${port}`]), '--', host]
  const lines = (await runProgram('ssh', asked, env)).split('\n').map((line): [string, string] => {
    const space = line.indexOf(' ')
    return [line.slice(0, space).toLowerCase(), line.slice(space + 1)]
  })
  const all = (name: string) => lines.flatMap(([key, value]) => (key === name ? [value] : []))
  const [agent] = all('identityagent')
  const [alias] = all('hostkeyalias')
  const files = all('identityfile')
  return {
    ...(agent !== undefined && agent !== 'SSH_AUTH_SOCK' && { agent: agent === 'none' ? agent : expand(agent, env) }),
    ...(alias !== undefined && alias !== 'none' && { alias }),
    hostname: all('hostname')[0] ?? host,
    identityFiles: files.filter((file) => file !== 'none').map((file) => expand(file, env)),
    isChosen: files.some((file) => !usual.test(file)),
    knownHosts: [...all('userknownhostsfile'), ...all('globalknownhostsfile')]
      .flatMap((value) => value.split(/\s+/))
      .filter((file) => file !== '' && file !== 'none')
      .map((file) => expand(file, env)),
    port: Number(all('port')[0] ?? 22),
  }
}

function expand(path: string, env: NodeJS.ProcessEnv): string {
  const named = path.replace(
    /^\$(?:\{(\w+)\}|(\w+))/,
    (whole, one?: string, two?: string) => env[one ?? two ?? ''] ?? whole,
  )
  const home = named.replace(/^%d(?=\/|$)/, '~')
  return home.startsWith('~/') ? join(homedir(), home.slice(2)) : home
}
