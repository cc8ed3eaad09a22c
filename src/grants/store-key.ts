// Owns the key that grants are encrypted with: in the system's keychain, or, where there is none, in a file of this user's alone.
// Which of the two is written down once, and never guessed again: a keychain that is locked is not one that is empty.
import { randomBytes } from 'node:crypto'
import { link, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { displayPath } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import { messageOf, systemCode } from '../errors.js'
import { keepOutOfDumps } from '../processes/keep-out-of-dumps.js'
import { openKeychain } from './keychain.js'
import { broken, isSafeDirectory, makeSafeDirectory, readPrivately } from './private-file.js'

export const keyLength = 32

/** The file has the key, or the account under which the keychain has it. */
type KeyFile = { account: string; version: 1 } | { key: string; version: 1 }

export interface KeyOptions {
  /** Told once, when the key is made. */
  note?: (line: string) => void
  open?: typeof openKeychain
}

/** Undefined when no grant was ever made. Throws GRANTS_BROKEN. */
export async function readKey(
  directory: string,
  { open = openKeychain }: KeyOptions = {},
): Promise<Buffer | undefined> {
  keepOutOfDumps()
  if (!(await isSafeDirectory(directory))) return undefined
  const file = keyFile(directory)
  const text = await readPrivately(file)
  if (text === undefined) return undefined
  const fix = [`rm -r ${shellQuote(directory)}   # forgets all grants`]
  const stored = parseKeyFile(text)
  if (!stored) throw broken(file, 'it is not what moat wrote', fix)
  if ('key' in stored) return decodeKey(stored.key) ?? fail(file, 'it has no key of 32 bytes', fix)
  const found = await open()
    .then((keychain) => keychain?.get(stored.account))
    .catch((error: unknown) =>
      fail(
        file,
        `its key is in the system's keychain, which says: ${messageOf(error)}`,
        ['unlock the keychain, then try again', 'moat doctor', ...fix],
        error,
      ),
    )
  if (found === undefined || found === null) {
    return fail(file, "its key is in the system's keychain, which cannot be reached from here or has lost it", [
      'moat doctor',
      ...fix,
    ])
  }
  return decodeKey(found) ?? fail(file, 'the keychain has something else in its place', fix)
}

/** The key, made if there is none. Of several that make one at the same time, all get the one that was first in place. */
export async function ensureKey(directory: string, options: KeyOptions = {}): Promise<Buffer> {
  const existing = await readKey(directory, options)
  if (existing) return existing
  await makeSafeDirectory(directory)
  const { note = () => {}, open = openKeychain } = options
  const key = randomBytes(keyLength)
  // An account of its own for each attempt: whoever comes second must not overwrite what the first relies on.
  const account = `grants-${randomBytes(8).toString('hex')}`
  const keychain = await open().catch(() => undefined)
  const kept = keychain ? await keychain.set(account, key.toString('base64')).catch(() => false) : false
  const content: KeyFile = kept ? { account, version: 1 } : { key: key.toString('base64'), version: 1 }
  const first = await placeOnce(keyFile(directory), `${JSON.stringify(content)}\n`)
  if (!first && kept) await keychain?.remove(account).catch(() => {})
  if (first && !kept) {
    note(
      `There is no keychain here that moat can use, so the key of your grants lies in ${displayPath(keyFile(directory))}, which only you can read.`,
    )
  }
  return (
    (await readKey(directory, options)) ??
    fail(keyFile(directory), 'it was removed while it was being made', 'moat doctor')
  )
}

function keyFile(directory: string): string {
  return join(directory, 'key.json')
}

function parseKeyFile(text: string): KeyFile | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<'account' | 'key' | 'version', unknown>> | null
    if (value?.version !== 1) return undefined
    if (typeof value.key === 'string') return { key: value.key, version: 1 }
    return typeof value.account === 'string' ? { account: value.account, version: 1 } : undefined
  } catch {
    return undefined
  }
}

function decodeKey(text: string): Buffer | undefined {
  const key = Buffer.from(text, 'base64')
  return key.length === keyLength ? key : undefined
}

/** Whole or not at all, and never over another one. False when there is one. */
async function placeOnce(file: string, text: string): Promise<boolean> {
  const draft = `${file}-${randomBytes(6).toString('hex')}`
  try {
    await writeFile(draft, text, { flag: 'wx', flush: true, mode: 0o600 })
    await link(draft, file)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

function fail(file: string, reason: string, fix: string | string[], cause?: unknown): never {
  throw broken(file, reason, fix, cause)
}
