// Owns what becomes of git's own files when an agent has worked with them: nothing stays of the agent's that would lead a git on the
// host astray, nothing of its user's goes, and what is harmless in the container's config is kept.
import { lstat, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, messageOf } from '../errors.js'
import { carryUpstreams } from './carry-upstreams.js'
import { viewDirectory } from './container-view.js'
import { findCheckout, placeOf } from './find-checkout.js'
import { type GitPlace, mainDirectory, unsafe } from './git-place.js'
import { innerNotes } from './inner-repositories.js'
import { mainCheckoutAt } from './main-checkout.js'
import { type GitLink, removeLinks } from './remove-links.js'
import { dropEnded, dropRecord, isKnown, recordStart, type StartRecord, startRecords } from './start-links.js'

/** Without these there is no repository; of one checkout, and of all. */
const essential = ['logs', 'logs/refs', 'refs']
const shared = [...essential, 'objects', 'reftable']

/**
 * At the end of a run: of the checkout that `workspace`, a real path, is; what a person should know of it. `home` is the `~/.moat`.
 * What was not there when the run began is removed.
 */
export async function settleCheckout(workspace: string, home: string, runId: string): Promise<string[]> {
  try {
    const place = await checkoutAt(workspace)
    if (!place) return []
    const records = (await startRecords(place, home)).filter((record) => record.runId === runId)
    const { closed, links } = await removed(place, records)
    const said = [
      ...(await saidOf(links, place, home)),
      ...(await carried(place, home)),
      ...closed.map(saidOfClosed),
      ...(await innerNotes(place)),
    ]
    // What is closed is looked into before the next run.
    if (closed.length === 0) await dropRecord(place, home, runId)
    return said
  } catch (error) {
    // Links that it has left may still be there.
    return [unseen(workspace, error)]
  }
}

/**
 * Before a run is given the checkout: puts right what was left by runs whose end no moat saw, and remembers what is there. `live` are
 * the runs beside it. Throws REPOSITORY_UNSAFE for a repository whose files are elsewhere; it stays as it is.
 */
export async function beginCheckout(
  place: GitPlace,
  home: string,
  runId: string,
  live: ReadonlySet<string>,
): Promise<string[]> {
  await assertWhole(place)
  const records = await startRecords(place, home)
  const { closed, links } = await removed(place, records)
  const [first] = closed
  if (first !== undefined) throw unsafe(saidOfClosed(first), [`chmod -R u+rwX ${shellQuote(first)}`])
  const said = [...(await saidOf(links, place, home)), ...(await carried(place, home))]
  await recordStart(place, home, runId, await dropEnded(place, home, records, live))
  return said
}

/** What was not there before any of these runs, which is removed, and what could not be looked into. */
async function removed(place: GitPlace, records: readonly StartRecord[]) {
  const closed: string[] = []
  const isOld = (link: GitLink) => isKnown(place, records, link)
  const links = records.length === 0 ? [] : await removeLinks(place, isOld, (path) => closed.push(path))
  return { closed, links }
}

function saidOfClosed(path: string): string {
  return `${plain(path)} is closed, also to you, maybe by an agent: there may be links in it by which your git would write elsewhere`
}

/** A link for one of them is its user's, more likely than not, so it is never removed at a start. */
async function assertWhole({ commonDir, gitDir }: GitPlace): Promise<void> {
  const own = [...essential, 'index', 'packed-refs'].map((name) => join(gitDir, name))
  for (const path of new Set([...shared.map((name) => join(commonDir, name)), ...own])) {
    if (!(await lstat(path).catch(() => undefined))?.isSymbolicLink()) continue
    const message = `${path} is a symbolic link to ${plain(await readlink(path))}, so the repository is not given to an agent: its git would write there.`
    const from = shellQuote(mainDirectory(commonDir))
    throw unsafe(message, [`ls -l ${shellQuote(path)}`, `git clone ${from} <another directory>`])
  }
}

/** A config that git refuses says nothing of the links, which are gone by now. */
async function carried(place: GitPlace, home: string): Promise<string[]> {
  try {
    await carryUpstreams(place, home)
    return []
  } catch (error) {
    return error instanceof MoatError ? [] : [unseen(place.root ?? place.commonDir, error)]
  }
}

function unseen(workspace: string, error: unknown): string {
  return `git's files in ${workspace} could not be looked at: ${messageOf(error)}`
}

/** Undefined for what agents are given no git for. Throws REPOSITORY_UNSAFE. */
export async function checkoutAt(workspace: string): Promise<GitPlace | undefined> {
  const linked = await findCheckout(workspace)
  if (!linked) return mainCheckoutAt(workspace)
  return linked.root === workspace ? placeOf(linked) : undefined
}

/** Where they led stays known: whoever made one of them meanwhile can make it again. */
async function saidOf(links: readonly GitLink[], { commonDir }: GitPlace, home: string): Promise<string[]> {
  if (links.length === 0) return []
  const list = join(viewDirectory(home, commonDir), 'links.removed')
  const lines = links.map(
    ({ path, target }) => `${new Date().toISOString()} ${shellQuote(path)} ${shellQuote(target)}\n`,
  )
  await writeFile(list, lines.join(''), { flag: 'a', mode: 0o600 })
  const shown = links.slice(0, 3).map(({ path, target }) => plain(`${path} -> ${target}`))
  const rest = links.length > 3 ? `, and ${links.length - 3} more, all of them in ${list}` : ''
  return [
    `Removed symbolic links among git's files, which were not there before the agent, and your git would have written through: ${shown.join(', ')}${rest}`,
  ]
}

/** An agent has chosen the text: nothing in it may move a cursor or hide. */
function plain(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
}
