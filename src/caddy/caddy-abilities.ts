// Owns what a Caddy can do besides what every one can: asked of the program, and remembered until the program is another one.
import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { startAsInvokingUser } from '../config/invoking-user.js'
import type { MoatPaths } from '../config/paths.js'
import { replaceFile } from '../config/replace-file.js'
import { layer4Modules } from './front.js'

export interface CaddyAbilities {
  /** True when one port can serve HTTPS, plain HTTP, and TCP by name. */
  layer4: boolean
}

/** Never rejects: a Caddy that does not tell can do nothing more than others. */
export async function caddyAbilities(
  binary: string,
  { caddyAbilities: memory }: Pick<MoatPaths, 'caddyAbilities'>,
): Promise<CaddyAbilities> {
  const mark = await markOf(binary)
  const known = await readFile(memory, 'utf8').catch(() => '')
  if (mark !== undefined && known.startsWith(`${mark}\n`)) return { layer4: known === `${mark}\nlayer4\n` }
  const modules = await addedModules(binary)
  const layer4 = layer4Modules.every((name) => modules?.includes(name))
  // What it did not tell now it may tell later. A memory that cannot be kept costs a question.
  if (mark !== undefined && modules)
    await replaceFile(memory, `${mark}\n${layer4 ? 'layer4\n' : ''}`, 0o600).catch(() => {})
  return { layer4 }
}

/** Names of modules that were built in; undefined when this Caddy does not tell. */
export async function addedModules(path: string): Promise<string[] | undefined> {
  try {
    const { stdout } = await startAsInvokingUser((ids) =>
      promisify(execFile)(path, ['list-modules', '--skip-standard'], { ...ids, timeout: 10_000 }),
    )
    return stdout.split('\n').filter((line) => /^[\w.]+$/.test(line))
  } catch {
    return undefined
  }
}

async function markOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  // The list is of this moat: another one may ask for more.
  return found && JSON.stringify([path, `${found.size}`, `${found.mtimeNs}`, layer4Modules.length])
}
