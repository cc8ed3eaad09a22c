// Owns getting the text of a config file, and the system's own words when it will not be read.
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { getSystemErrorMessage } from 'node:util'
import { exitCodes, MoatError, messageOf, systemCode } from '../errors.js'
import { openInside, readWhole } from './open-inside.js'
import { configError } from './problems.js'

/** Bytes; nobody writes more by hand. */
const mostBytes = 1024 * 1024

/** The text of a config file without its byte order mark; undefined if there is no such file. Throws CONFIG_INVALID. */
export async function readConfigText(file: string, displayFile: string): Promise<string | undefined> {
  return decode(displayFile, () => readFile(file))
}

/** The same of a file in a directory that an agent may have written: a link out of it is not followed. */
export async function readWorkspaceText(file: string, displayFile: string): Promise<string | undefined> {
  return decode(displayFile, async () => {
    const handle = await openInside(dirname(file), basename(file))
    try {
      return handle && (await readWhole(handle, mostBytes))
    } finally {
      await handle?.close()
    }
  })
}

async function decode(displayFile: string, read: () => Promise<Buffer | undefined>): Promise<string | undefined> {
  let bytes: Buffer | undefined
  try {
    bytes = await read()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    const message = `${displayFile} cannot be read: ${systemReason(error)}.`
    throw new MoatError('CONFIG_INVALID', message, { cause: error, exit: exitCodes.usage })
  }
  if (bytes === undefined) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw configError(displayFile, '', [{ message: 'not UTF-8 text', offset: 0 }], error)
  }
}

/** What the system says of a failed call, e.g. `permission denied`. */
export function systemReason(error: unknown): string {
  const number = error instanceof Error && 'errno' in error ? error.errno : undefined
  return typeof number === 'number' ? getSystemErrorMessage(number) : messageOf(error)
}
