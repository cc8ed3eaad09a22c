// Owns which links among git's files were there before an agent was: a record of each run, where no container can write. Only what is
// not on it can be an agent's. Without a record no agent has been at work, and every link is its user's.
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { viewDirectory } from './container-view.js'
import type { GitPlace } from './git-place.js'
import { type GitLink, listLinks } from './remove-links.js'

export interface StartRecord {
  /** What git has for the checkout of the run. */
  gitDir: string
  /** Directories in it that the run was given read-only. */
  held: string[]
  links: GitLink[]
  runId: string
  writtenMs: number
}

/** A run that no engine lists may be one whose container is not made yet. Milliseconds. */
const startTakes = 10 * 60_000
/** What git writes of a main checkout's own directory: others in it are read-only to containers, if they are there at the start. */
const written = new Set(['logs', 'objects', 'rebase-apply', 'rebase-merge', 'refs', 'reftable', 'sequencer'])

/** Before a run's container is mounted anything. `earlier` are the records of the runs beside it. */
export async function recordStart(
  place: GitPlace,
  home: string,
  runId: string,
  earlier: readonly StartRecord[],
): Promise<void> {
  const { commonDir, gitDir } = place
  const directory = recordsOf(place, home)
  await mkdir(directory, { mode: 0o700, recursive: true })
  // One that another run's agent has made meanwhile is not its user's.
  const links = (await listLinks(place)).filter((link) => isKnown(place, earlier, link))
  const entries = gitDir === commonDir ? await readdir(gitDir, { withFileTypes: true }) : []
  const held = entries.filter((entry) => entry.isDirectory() && !written.has(entry.name)).map(({ name }) => name)
  const next = join(directory, `.${runId}`)
  await writeFile(next, JSON.stringify({ gitDir, held, links }), { mode: 0o600 })
  await rename(next, join(directory, runId))
}

/** Records of all runs in the repository whose end nobody has seen. */
export async function startRecords(place: GitPlace, home: string): Promise<StartRecord[]> {
  const directory = recordsOf(place, home)
  const names = await readdir(directory).catch(() => [])
  const records = await Promise.all(
    names.filter((name) => /^[\w-]+$/.test(name)).map((name) => readRecord(directory, name)),
  )
  return records.flatMap((record) => record ?? [])
}

/** Forgets the runs that are over by now; the others. */
export async function dropEnded(
  place: GitPlace,
  home: string,
  records: readonly StartRecord[],
  live: ReadonlySet<string>,
): Promise<StartRecord[]> {
  const isOver = ({ runId, writtenMs }: StartRecord) => !live.has(runId) && Date.now() - writtenMs > startTakes
  for (const record of records) if (isOver(record)) await dropRecord(place, home, record.runId)
  return records.filter((record) => !isOver(record))
}

export async function dropRecord(place: GitPlace, home: string, runId: string): Promise<void> {
  await rm(join(recordsOf(place, home), runId), { force: true })
  // Of a linked worktree nothing else is kept there.
  for (const directory of [recordsOf(place, home), viewDirectory(home, place.commonDir)])
    await rmdir(directory).catch(() => {})
}

/** True for a link that was there before each of the runs that could have made it: all in the repository, or those of a checkout. */
export function isKnown(
  { commonDir, gitDir }: GitPlace,
  records: readonly StartRecord[],
  { path, target }: GitLink,
): boolean {
  const isShared = ['logs', 'objects', 'refs', 'reftable'].some((name) => isBelow(join(commonDir, name), path))
  return records
    .filter((record) => record.gitDir === gitDir || isShared)
    .every(
      ({ gitDir: own, held, links }) =>
        links.some((link) => link.path === path && link.target === target) ||
        held.some((name) => isBelow(join(own, name), path)),
    )
}

function isBelow(directory: string, path: string): boolean {
  return path === directory || path.startsWith(`${directory}${sep}`)
}

function recordsOf({ commonDir }: GitPlace, home: string): string {
  return join(viewDirectory(home, commonDir), 'links.start')
}

/** Undefined for one that is gone, or was never finished: then nothing is known of that run, and nothing removed for it. */
async function readRecord(directory: string, runId: string): Promise<StartRecord | undefined> {
  try {
    const file = join(directory, runId)
    const [text, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)])
    return { ...JSON.parse(text), runId, writtenMs: mtimeMs }
  } catch {
    return undefined
  }
}
