// Owns getting the text of a config file, and the system's own words when it will not be read.
import { readFile } from 'node:fs/promises'
import { getSystemErrorMessage } from 'node:util'
import { exitCodes, MoatError, messageOf, systemCode } from '../errors.js'
import { configError } from './problems.js'

/** The text of a config file without its byte order mark; undefined if there is no such file. Throws CONFIG_INVALID. */
export async function readConfigText(file: string, displayFile: string): Promise<string | undefined> {
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    const message = `${displayFile} cannot be read: ${systemReason(error)}.`
    throw new MoatError('CONFIG_INVALID', message, { cause: error, exit: exitCodes.usage })
  }
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
