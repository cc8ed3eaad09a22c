// Owns which keys the user's known_hosts has for a host. ssh-keygen looks, which reads hashed names as well.
import { systemCode } from '../errors.js'
import { parsePublicKey } from './public-key.js'
import { runProgram } from './run-program.js'

/** Public keys in Base64, without those that are revoked. `name` is as in the files: `[host]:port` of another port than 22. */
export async function findHostKeys(name: string, files: readonly string[], env = process.env): Promise<string[]> {
  const found = await Promise.all(files.map((file) => linesFor(name, file, env)))
  const lines = found.flat().map((line) => /^(@\S+\s+)?\S+\s+(.*)$/.exec(line))
  const keys = (marker: string | undefined) =>
    lines.flatMap((parts) => (parts && parts[1]?.trim() === marker ? (parsePublicKey(parts[2] ?? '')?.blob ?? []) : []))
  const revoked = keys('@revoked')
  return [...new Set(keys(undefined))].filter((key) => !revoked.includes(key))
}

/** The name under which a host stands in the files. */
export function knownName(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`
}

async function linesFor(name: string, file: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  try {
    const text = await runProgram('ssh-keygen', ['-F', name, '-f', file], env)
    return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  } catch (error) {
    // It fails when it finds nothing, or no file.
    if (typeof systemCode(error) === 'string') throw error
    return []
  }
}
