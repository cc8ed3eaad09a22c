// Owns what a workspace looked like when a run began: a file a run, outside the workspace, for the latest runs.
import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { hostUser } from '../config/invoking-user.js'
import { replaceFile } from '../config/replace-file.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, systemCode } from '../errors.js'
import type { Survey } from './survey.js'

export interface RunStart {
  /** Present for a run that worked in a clone of its own, and was given nothing of the workspace. */
  clone?: true
  name: string
  runId: string
  /** ISO 8601. */
  startedAt: string
  workspace: string
}

export interface RunRecord extends RunStart {
  before: Survey
  /** When it was written, by the clock that files have their times from. */
  writtenMs: number
}

const entry = z.strictObject({
  bornMs: z.number(),
  changedMs: z.number(),
  digest: z.exactOptional(z.string()),
  mode: z.number(),
  size: z.number(),
  why: z.string(),
})
const schema = z.strictObject({
  clone: z.exactOptional(z.literal(true)),
  complete: z.boolean(),
  entries: z.array(z.tuple([z.string(), entry])),
  name: z.string(),
  runId: z.string(),
  startedAt: z.string(),
  version: z.literal(1),
  workspace: z.string(),
})

const mostRecords = 100
/** Bytes. */
const mostBytes = 64 * 1024 * 1024
/** Its time first, so that names alone tell which are old and whose they are. */
const fileName = /^(\d{14,})-(run_[0-9a-f]{12})-([a-z0-9-]+)\.json$/

/** Writes down how a workspace is. Older records than the latest hundred go. */
export async function writeRunRecord(
  directory: string,
  { before, ...start }: Omit<RunRecord, 'writtenMs'>,
): Promise<void> {
  await mkdir(directory, { mode: 0o700, recursive: true })
  const time = String(Date.parse(start.startedAt)).padStart(14, '0')
  const entries = [...before.entries]
  const text = JSON.stringify({ ...start, complete: before.complete, entries, version: 1 })
  await replaceFile(join(directory, `${time}-${start.runId}-${start.name}.json`), text, 0o600)
  const old = (await recordNames(directory)).slice(mostRecords)
  await Promise.all(old.map(({ file }) => rm(file, { force: true })))
}

export interface RecordName {
  file: string
  name: string
  runId: string
}

/** The runs there are records of, the latest first. */
export async function recordNames(directory: string): Promise<RecordName[]> {
  const names = await readdir(directory).catch((error) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  return names
    .toSorted()
    .toReversed()
    .flatMap((file) => {
      const [, , runId, name] = fileName.exec(file) ?? []
      return runId === undefined || name === undefined ? [] : [{ file: join(directory, file), name, runId }]
    })
}

/** Throws REVIEW_FAILED for a file that is not what moat wrote: nothing can be said of the workspace by it. */
export async function readRunRecord(file: string): Promise<RunRecord> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const { birthtimeMs, mode, size, uid } = await handle.stat()
      if (uid !== hostUser().uid || (mode & 0o022) !== 0) throw new Error('others can write it')
      if (size > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`)
      const { complete, entries, version: _, ...start } = schema.parse(JSON.parse(await handle.readFile('utf8')))
      const before = { complete, entries: new Map(entries) }
      return { ...start, before, writtenMs: birthtimeMs || Date.parse(start.startedAt) }
    } finally {
      await handle.close()
    }
  } catch (error) {
    const present = await lstat(file).catch(() => undefined)
    throw new MoatError('REVIEW_FAILED', `${file}, what the workspace looked like before, cannot be relied on.`, {
      cause: error,
      suggestions: present ? [`rm ${shellQuote(file)}`] : [],
    })
  }
}
