// Owns the files in which the user's approvals are kept: one a workspace, outside of all of them. They are the only word of
// what was allowed, so whatever is wrong with one is an error, never an empty list.
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { hostUser } from '../config/invoking-user.js'
import { displayPath } from '../config/paths.js'
import { replaceFile } from '../config/replace-file.js'
import { powerKeys } from '../config/settings-file.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, systemCode } from '../errors.js'
import { type Power, samePower } from './power.js'

export interface ApprovalRecord {
  /** Real path of the workspace. */
  path: string
  powers: (Power & { approvedAt: string })[]
}

const schema = z.strictObject({
  path: z.string().startsWith('/'),
  powers: z.array(
    z.strictObject({ approvedAt: z.string(), key: z.enum(powerKeys), name: z.string(), value: z.string() }),
  ),
  version: z.literal(1),
})

/** Bytes; a record of very many long hooks. */
const mostBytes = 16 * 1024 * 1024
const fileName = /^[0-9a-f]{64}\.json$/

/** What was approved for a workspace; undefined when nothing was. Throws APPROVALS_BROKEN. */
export async function readApprovals(directory: string, place: string): Promise<ApprovalRecord | undefined> {
  if (!(await directoryIsSafe(directory))) return undefined
  return readRecord(recordFile(directory, place))
}

/** All records, by path. Throws APPROVALS_BROKEN. */
export async function listApprovals(directory: string): Promise<ApprovalRecord[]> {
  if (!(await directoryIsSafe(directory))) return []
  const names = (await readdir(directory)).filter((name) => fileName.test(name))
  const records = await Promise.all(names.map((name) => readRecord(join(directory, name))))
  return records.filter((record) => record !== undefined).toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Adds to what was approved for a workspace. */
export async function addApprovals(directory: string, place: string, powers: readonly Power[]): Promise<void> {
  const known = (await readApprovals(directory, place))?.powers ?? []
  const approvedAt = new Date().toISOString()
  const added = powers
    .filter((power) => !known.some((one) => samePower(one, power)))
    .map(({ key, name, value }) => ({ approvedAt, key, name, value }))
  await mkdir(directory, { mode: 0o700, recursive: true })
  await directoryIsSafe(directory)
  const file = recordFile(directory, place)
  const text = `${JSON.stringify({ path: place, powers: [...known, ...added], version: 1 }, null, 2)}\n`
  await replaceFile(file, text, 0o600)
}

/** Forgets what was approved for a workspace, readable or not. False when there was nothing. */
export async function revokeApprovals(directory: string, place: string): Promise<boolean> {
  if (!(await directoryIsSafe(directory))) return false
  const file = recordFile(directory, place)
  if (!(await lstat(file).catch(() => undefined))) return false
  await rm(file)
  return true
}

function recordFile(directory: string, place: string): string {
  return join(directory, `${createHash('sha256').update(place).digest('hex')}.json`)
}

/** False when there is none yet. Throws when somebody else could have put records there. */
async function directoryIsSafe(directory: string): Promise<boolean> {
  const stats = await lstat(directory).catch((error) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (!stats) return false
  const word = shellQuote(directory)
  if (stats.isSymbolicLink()) throw broken(directory, 'it is a symbolic link', `rm ${word}`)
  if (!stats.isDirectory()) throw broken(directory, 'it is not a directory', `rm ${word}`)
  assertPrivate(directory, stats, '700')
  return true
}

function assertPrivate(path: string, { mode, uid }: { mode: number; uid: number }, wanted: string): void {
  const word = shellQuote(path)
  const user = hostUser().uid
  if (uid !== user) throw broken(path, 'it belongs to another user', `sudo chown ${user} ${word}`)
  if ((mode & 0o077) !== 0) {
    const octal = (mode & 0o777).toString(8)
    throw broken(path, `other users can reach it (mode ${octal})`, `chmod ${wanted} ${word}`)
  }
}

async function readRecord(file: string): Promise<ApprovalRecord | undefined> {
  const text = await readPrivately(file)
  if (text === undefined) return undefined
  const parsed = schema.safeParse(parseJson(text))
  const fix = `rm ${shellQuote(file)}`
  if (!parsed.success) throw broken(file, 'it is not what moat wrote', fix)
  const { path, powers } = parsed.data
  // The name is a hash of the path: a record under another name is somebody's copy.
  if (!file.endsWith(recordFile('', path))) throw broken(file, `it is of another workspace, ${path}`, fix)
  return { path, powers }
}

/** Undefined for a file that is not there. Neither a link is followed nor a pipe waited for. */
async function readPrivately(file: string): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(file, flags).catch((error) => {
    if (systemCode(error) === 'ENOENT') return undefined
    const reason = systemCode(error) === 'ELOOP' ? 'it is a symbolic link' : 'it cannot be read'
    throw broken(file, reason, `rm ${shellQuote(file)}`, error)
  })
  if (!handle) return undefined
  try {
    const stats = await handle.stat()
    if (!stats.isFile() || stats.size > mostBytes) {
      throw broken(file, 'it is not what moat wrote', `rm ${shellQuote(file)}`)
    }
    assertPrivate(file, stats, '600')
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function broken(path: string, reason: string, fix: string, cause?: unknown): MoatError {
  const message = `Your approvals in ${displayPath(path)} cannot be relied on: ${reason}.`
  return new MoatError('APPROVALS_BROKEN', message, { cause, suggestions: [fix] })
}
