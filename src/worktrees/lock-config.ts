// Owns git's lock of a repository's config while moat writes it: one that a killed moat has left is taken away by the next.
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { link, open, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { readWhole } from '../config/open-inside.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, systemCode } from '../errors.js'
import { readProcess } from '../processes/process-facts.js'
import { isRunning } from '../processes/same-process.js'

/** Locks the config `file` as git does; the returned function frees it. Throws GIT_FAILED. */
export async function lockConfig(file: string): Promise<() => Promise<void>> {
  const lock = `${file}.lock`
  const self = await readProcess(process.pid)
  const text = `moat ${process.pid} ${self?.startedAt ?? 0} ${hostname()}\n`
  try {
    await take(lock, text)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || !(await isCleared(lock))) throw lockedBy(file, error)
    await take(lock, text).catch((cause: unknown) => {
      throw lockedBy(file, cause)
    })
  }
  return () => rm(lock, { force: true })
}

/** git reads nothing of the text, which says whose it is. */
function take(lock: string, text: string): Promise<void> {
  return writeFile(lock, text, { flag: 'wx' })
}

/** True if it was left by a moat that is gone, and is gone too. */
async function isCleared(lock: string): Promise<boolean> {
  const found = await read(lock)
  if (found === undefined || !(await isLeft(found))) return false
  const aside = `${lock}.${randomUUID()}`
  await rename(lock, aside).catch(() => {})
  const moved = await read(aside)
  // Another moat has cleared and taken it meanwhile.
  if (moved !== undefined && moved !== found) await link(aside, lock).catch(() => {})
  await rm(aside, { force: true })
  return moved === found
}

async function isLeft(text: string): Promise<boolean> {
  const [, pid, startedAt, host] = /^moat (\d+) (\d+) (.*)\n$/.exec(text) ?? []
  // The processes of another machine, or container, are not seen from here.
  return (
    pid !== undefined && host === hostname() && !(await isRunning({ pid: Number(pid), startedAt: Number(startedAt) }))
  )
}

/** An agent may have put anything there. */
async function read(path: string): Promise<string | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  )
  try {
    return handle && (await readWhole(handle, 200)).toString()
  } catch {
    return undefined
  } finally {
    await handle?.close()
  }
}

function lockedBy(file: string, cause: unknown): MoatError {
  const suggestions = [`ls -l ${shellQuote(`${file}.lock`)}`]
  return new MoatError('GIT_FAILED', `${file} cannot be locked: another git is changing it.`, { cause, suggestions })
}
