// Owns the short mount syntax of moat.yaml: `source:target[:ro|rw]`.
import { realpath } from 'node:fs/promises'
import { posix, resolve } from 'node:path'
import { systemCode } from '../errors.js'
import { systemReason } from './read-config.js'

export interface Mount {
  readOnly: boolean
  /** Real, absolute path on the host. */
  source: string
  /** Absolute path in the container. */
  target: string
}

/** Where the workspace is mounted in every agent. */
const workspaceTarget = '/workspace'

/**
 * Reads one mount; `directory` is what a relative source starts from. The source is its real path: what a person allows
 * is what is mounted, wherever a link leads later. A string says what is wrong.
 */
export async function readMount(text: string, directory: string): Promise<Mount | string> {
  const mount = parseMount(text, directory)
  if (typeof mount === 'string') return mount
  try {
    return { ...mount, source: await realpath(mount.source) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return `has the source ${mount.source}, which does not exist`
    return `has the source ${mount.source}, which cannot be read: ${systemReason(error)}`
  }
}

function parseMount(text: string, directory: string): Mount | string {
  const [source, target, mode = 'rw', ...rest] = text.split(':')
  if (!source || !target || rest.length > 0) return `must be "source:target" or "source:target:ro", not ${quote(text)}`
  if (mode !== 'ro' && mode !== 'rw') return `ends in ${quote(mode)}; a mount's mode is "ro" or "rw"`
  if (!target.startsWith('/')) return `has the target ${quote(target)}, which must be an absolute path in the container`
  const normalTarget = posix.normalize(target).replace(/(?<=.)\/$/, '')
  if (normalTarget === '/') return 'has the target "/", which would hide the whole container'
  if (normalTarget === workspaceTarget) return `has the target "${workspaceTarget}", where the workspace already is`
  return { readOnly: mode === 'ro', source: resolve(directory, source), target: normalTarget }
}

function quote(text: string): string {
  return JSON.stringify(text)
}
