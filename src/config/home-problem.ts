// Owns what is said when ~/.moat cannot be written: the machine's state, not a defect, and it is named.
import { accessSync, constants, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { MoatError, systemCode } from '../errors.js'
import { displayPath } from './paths.js'
import { systemReason } from './read-config.js'
import { shellQuote } from './shell-quote.js'

/** Codes that only a write to the disk leads to; of the others the path tells whether they are about moat's files. */
const ofDisks = ['EDQUOT', 'ENOSPC', 'EROFS']
const ofPaths = ['EACCES', 'EIO', 'EISDIR', 'ENOTDIR', 'EPERM']

/** What Linux makes up (proc, sysfs, cgroups): nothing can be made there, and told to make directories Node tries for ever. */
const madeUp = new Set([0x9fa0, 0x62656572, 0x27e0eb, 0x63677270])

/** Throws HOME_UNUSABLE for a home, or something above it, that is there and is no directory. Without one it is made when needed. */
export function assertNoFile(home: string): void {
  const reason = isFile(home)
    ? 'it is not a directory, or lies in none'
    : isMadeUp(home) && 'it lies in a file system that the kernel makes up'
  if (!reason) return
  throw new MoatError('HOME_UNUSABLE', `moat cannot use ${displayPath(home)}: ${reason}.`, {
    suggestions: ['MOAT_HOME=/path/to/another/directory moat run', 'unset MOAT_HOME'],
  })
}

/** Of the path, or the nearest above it that exists. */
function isMadeUp(path: string): boolean {
  try {
    return process.platform === 'linux' && madeUp.has(statfsSync(path).type)
  } catch {
    const above = dirname(path)
    return above !== path && isMadeUp(above)
  }
}

function isFile(path: string): boolean {
  try {
    return !statSync(path).isDirectory()
  } catch (error) {
    return ['ELOOP', 'ENOTDIR'].includes(systemCode(error) ?? '')
  }
}

/** The error to show for a failed call; undefined when it was not about moat's own files. */
export function homeProblem(error: unknown, home: string): MoatError | undefined {
  if (error instanceof MoatError) return undefined
  const path = pathOf(error)
  const isOwn = path === home || path?.startsWith(`${home}/`)
  // Making a directory with those above it fails with ENOENT whatever the reason: the system is asked again.
  const failed = isOwn && systemCode(error) === 'ENOENT' ? refusalOf(home) : error
  const code = systemCode(failed)
  if (code === undefined) return undefined
  if (!(ofDisks.includes(code) || (ofPaths.includes(code) && isOwn))) return undefined
  const place = displayPath(isOwn && path !== undefined ? path : home)
  return new MoatError('HOME_UNUSABLE', `moat cannot use ${place}: ${systemReason(failed)}.`, {
    cause: error,
    suggestions: [
      ofDisks.includes(code)
        ? `df -h ${shellQuote(home)}   # how much room there is, and on which disk`
        : 'moat doctor',
      'MOAT_HOME=/path/to/another/directory moat run',
    ],
  })
}

/** The same for a command's error, which may be about any file. */
export function ownFilesProblem(error: unknown, home: string): MoatError | undefined {
  return pathOf(error)?.startsWith(`${home}/`) ? homeProblem(error, home) : undefined
}

/** Why nothing can be made in a directory, or in the nearest above it that exists. */
function refusalOf(directory: string): unknown {
  try {
    accessSync(directory, constants.W_OK)
    return undefined
  } catch (error) {
    return systemCode(error) === 'ENOENT' && dirname(directory) !== directory ? refusalOf(dirname(directory)) : error
  }
}

function pathOf(error: unknown): string | undefined {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : undefined
}
