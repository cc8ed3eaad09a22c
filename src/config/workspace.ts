// Owns turning the path given to a command into a workspace: a directory that exists and can be read.
import { existsSync } from 'node:fs'
import { opendir, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { exitCodes, MoatError, systemCode } from '../errors.js'
import { systemReason } from './read-config.js'
import { shellQuote } from './shell-quote.js'

/** The real, absolute path of the directory `path`. Throws WORKSPACE_MISSING: absent, no directory, or unreadable. */
export async function resolveWorkspace(path: string): Promise<string> {
  const absolute = resolve(path)
  try {
    const workspace = await realpath(absolute)
    if (!(await stat(workspace)).isDirectory()) throw notDirectory(absolute)
    // Opening tells what access() cannot: it judges by the real user, which under sudo is not the one moat acts as.
    await (await opendir(workspace)).close()
    return workspace
  } catch (error) {
    if (error instanceof MoatError) throw error
    throw unusable(absolute, error)
  }
}

function notDirectory(path: string): MoatError {
  const directory = dirname(path)
  // Giving an agent whatever directory the file lies in is nothing to suggest.
  const meant = existsSync(join(directory, 'moat.yaml')) ? `moat run ${shellQuote(directory)}` : 'moat run <directory>'
  return workspaceError(`The workspace ${path} is a file, not a directory.`, [meant])
}

function unusable(path: string, cause: unknown): MoatError {
  const word = shellQuote(path)
  if (systemCode(cause) === 'ENOENT') {
    return workspaceError(`The workspace ${path} does not exist.`, [`mkdir -p ${word}`], cause)
  }
  // The path goes on below a file.
  if (systemCode(cause) === 'ENOTDIR') {
    return workspaceError(`The workspace ${path} does not exist: part of the path is a file.`, [`ls ${word}`], cause)
  }
  return workspaceError(`The workspace ${path} cannot be read: ${systemReason(cause)}.`, [`ls -ld ${word}`], cause)
}

function workspaceError(message: string, suggestions: string[], cause?: unknown): MoatError {
  return new MoatError('WORKSPACE_MISSING', message, { cause, exit: exitCodes.usage, suggestions })
}
