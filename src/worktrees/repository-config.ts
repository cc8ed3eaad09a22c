// Owns what git, called by moat, heeds of a repository's own config: a list of what is allowed, because whatever else is in
// there may name a program, also in ways that a later git brings. Global and system config are the user's, and heeded.
import { constants } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemReason } from '../config/read-config.js'
import { contains } from '../config/real-path.js'
import { shellQuote } from '../config/shell-quote.js'
import { systemCode } from '../errors.js'
import { type GitPlace, unsafe } from './git-place.js'
import { startGit } from './start-git.js'

export interface ConfigEntry {
  /** As git prints it: section and name in lower case, what is between them as it stands. */
  key: string
  /** Undefined for a key without `=`, which is true. */
  value?: string
}

/** A person's config has a few kilobytes. */
export const mostBytes = 4 * 1024 * 1024

/** Numbers, switches, names and patterns; none of them is a path that is read, or a program that is run. */
const allowed: readonly RegExp[] = [
  /^core\.(autocrlf|bare|bigfilethreshold|checkstat|compression|eol|filemode|hidedotfiles|ignorecase|logallrefupdates|longpaths)$/,
  /^core\.(precomposeunicode|protecthfs|protectntfs|repositoryformatversion|safecrlf|sharedrepository|symlinks|trustctime)$/,
  /^core\.sparsecheckout(cone)?$/,
  /^extensions\.(compatobjectformat|objectformat|preciousobjects|refstorage)$/,
  /^(author|committer|user)\.(email|name)$/,
  /^branch\.autosetuprebase$/,
  /^remote\..+\.(fetch|pushurl|url)$/s,
  /^url\..+\.(insteadof|pushinsteadof)$/s,
]

/** git must know an extension to read the repository; these change nothing of what moat asks. */
const otherExtensions = /^extensions\.(noop(-v1)?|partialclone|relativeworktrees|worktreeconfig)$/

/** What runs a program, or sends git to files that do. */
const dangerous: readonly RegExp[] = [
  /^core\.(alternaterefscommand|askpass|attributesfile|editor|fsmonitor|gitproxy|hookspath|pager|sshcommand|worktree)$/,
  /^(alias|blame|credential|difftool|filter|guitool|hook|include|includeif|man|mergetool|pager|sendemail|tar|trailer)\./,
  /^diff\.(external|.+\.(command|textconv))$/s,
  /^(gpg\.(.+\.)?(defaultkeycommand|program))$/s,
  /^browser\.|^(help|web)\.browser$|^instaweb\./,
  /^imap\.tunnel$|^interactive\.difffilter$|^sequence\.editor$|^uploadpack\.packobjectshook$/,
  /^(gc\.recentobjectshook|receive\.procreceiverefs|sendpack\.|ssh\.variant|transfer\.bundleuri|fetch\.bundleuri)$/,
  /^lfs\.(customtransfer|extension)\./,
  /^merge\..+\.driver$/s,
  /^protocol\.(.+\.)?allow$/s,
  /^remote\..+\.(proxy|receivepack|uploadpack|vcs)$/s,
  /^submodule\..+\.update$/s,
  /^extensions\.partialclone$|^remote\..+\.(partialclonefilter|promisor)$/s,
]

/** A remote helper is a program, and `ext::` names any. */
const helperUrl = /^[^/:]+::/

/** The entries that git is given instead of the repository's own config. Throws REPOSITORY_UNSAFE, GIT_FAILED. */
export async function allowedConfig(place: GitPlace): Promise<ConfigEntry[]> {
  const files = await readConfig(place)
  for (const { entries, file } of files) for (const entry of entries) assertReadable(entry, file)
  return files
    .flatMap(({ entries }) => entries)
    .filter(({ key, value }) => allowed.some((pattern) => pattern.test(key)) && !helperUrl.test(value ?? ''))
}

/** What in the repository's config names a program for git, or may lead to one, and the file it is in. */
export async function dangerousConfig(place: GitPlace): Promise<{ file: string; key: string }[]> {
  const found = await programEntries(place)
  return found
    .filter(({ file, key }, index) => found.findIndex((one) => one.file === file && one.key === key) === index)
    .map(({ file, key }) => ({ file, key }))
}

/** The same with each value that it has. */
export async function programEntries(place: GitPlace): Promise<(ConfigEntry & { file: string })[]> {
  const own = await ownWorktree(place)
  return (await readConfig(place)).flatMap(({ entries, file }) =>
    entries
      .filter(({ key, value }) => key !== 'core.worktree' || value === undefined || value !== own)
      .filter(mayRun)
      .map((entry) => ({ ...entry, file })),
  )
}

/** True for what has git run a program, or may lead it to one. */
export function mayRun({ key, value }: ConfigEntry): boolean {
  return (
    (dangerous.some((pattern) => pattern.test(key)) && !isHarmless(key, value)) ||
    (/^(remote|url)\./.test(key) && helperUrl.test(key.replace(/^url\./, ''))) ||
    (/^remote\..+url$/s.test(key) && helperUrl.test(value ?? ''))
  )
}

/** All that the repository's config says, for who judges it. */
export async function configEntries(place: GitPlace): Promise<ConfigEntry[]> {
  return (await readConfig(place)).flatMap(({ entries }) => entries)
}

/** What the config says of where its files are, if that is where they are: a submodule's does. */
export async function ownWorktree(place: GitPlace): Promise<string | undefined> {
  const { gitDir, root } = place
  const entries = await configEntries(place)
  const value = entries.filter(({ key }) => key === 'core.worktree').at(-1)?.value
  if (value === undefined || root === undefined) return undefined
  return (await realpath(resolve(gitDir, value)).catch(() => undefined)) === root ? value : undefined
}

/**
 * True where the repository is in its checkout, or says that it is its. A `.git` file may be an agent's, and lead to any repository of its
 * user's: `git init --separate-git-dir` leaves nothing in it that leads back.
 */
export async function isAcknowledged(place: GitPlace): Promise<boolean> {
  const { commonDir, root } = place
  return root === undefined || contains(root, commonDir) || (await ownWorktree(place)) !== undefined
}

/** Text of a config file that says the same. */
export function configText(entries: readonly ConfigEntry[]): string {
  return entries
    .map(({ key, value }) => {
      const [section, name] = [key.slice(0, key.indexOf('.')), key.slice(key.lastIndexOf('.') + 1)]
      const middle = key.slice(section.length + 1, -name.length - 1)
      const head = middle === '' ? `[${section}]` : `[${section} "${middle.replace(/[\\"]/g, '\\$&')}"]`
      return value === undefined ? `${head}\n\t${name}\n` : `${head}\n\t${name} = ${quoted(value)}\n`
    })
    .join('')
}

function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`
}

/** Partial clones are common, and named only because git fetches what they lack; the rest is a switch that is off. */
function isHarmless(key: string, value: string | undefined): boolean {
  if (/partialclone|promisor/.test(key)) return true
  if (key === 'core.fsmonitor') return /^(true|false|yes|no|on|off|0|1)?$/i.test(value ?? '')
  if (/^submodule\..+\.update$/s.test(key)) return !(value ?? '').startsWith('!')
  if (/^protocol\./.test(key)) return value === 'never'
  return false
}

async function readConfig({ commonDir, gitDir }: GitPlace): Promise<{ entries: ConfigEntry[]; file: string }[]> {
  const file = join(commonDir, 'config')
  const entries = await parse(file)
  const own = entries.filter(({ key }) => key === 'extensions.worktreeconfig').at(-1)
  if (!own || /^(false|no|off|0)?$/i.test(own.value ?? 'true')) return [{ entries, file }]
  const more = join(gitDir, 'config.worktree')
  return [
    { entries, file },
    { entries: await parse(more), file: more },
  ]
}

/** The same text says the same, and git is called many times in a row. */
const parsed = new Map<string, ConfigEntry[]>()
/** An agent may make any number. */
const mostParsed = 200

/** By git's own parser, but from what was read here: one look at the file, no includes, no waiting for a pipe. */
async function parse(file: string): Promise<ConfigEntry[]> {
  const text = await readRegular(file)
  if (text === undefined) return []
  const key = text.toString('latin1')
  const entries = parsed.get(key) ?? (await parseConfig(text, file))
  if (parsed.size >= mostParsed) parsed.clear()
  parsed.set(key, entries)
  return entries
}

/** By git's own parser, without includes. Throws REPOSITORY_UNSAFE. */
export async function parseConfig(text: Buffer, file: string): Promise<ConfigEntry[]> {
  const outcome = await startGit(['config', '--file', '-', '--no-includes', '--null', '--list'], {
    directory: '/',
    env: { GIT_DIR: '/nonexistent' },
    input: text,
  })
  if (outcome.code !== 0) {
    const said = outcome.stderr.trim().replace(/^fatal: /, '')
    throw unsafe(`git cannot read ${file}: ${said}.`, [`git config --file ${shellQuote(file)} --edit`])
  }
  return outcome.stdout
    .split('\0')
    .filter((item) => item !== '')
    .map((item) => {
      const end = item.indexOf('\n')
      return end < 0 ? { key: item } : { key: item.slice(0, end), value: item.slice(end + 1) }
    })
}

/** Undefined where there is none. */
async function readRegular(file: string): Promise<Buffer | undefined> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const entry = await handle.stat()
    if (entry.isFile() && entry.size <= mostBytes) return await handle.readFile()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw unsafe(`${file} cannot be read: ${systemReason(error)}.`, [`ls -lL ${shellQuote(file)}`])
  } finally {
    await handle?.close()
  }
  throw unsafe(`${file} is too large for a config file, or is not a plain file.`, [`ls -lL ${shellQuote(file)}`])
}

function assertReadable({ key, value }: ConfigEntry, file: string): void {
  if (!key.startsWith('extensions.')) return
  const known = otherExtensions.test(key) || allowed.some((pattern) => pattern.test(key))
  // A value with a path in it is how a later git may be sent elsewhere.
  if (known && /^[\w-]*$/.test(key === 'extensions.partialclone' ? '' : (value ?? ''))) return
  throw unsafe(`${file} sets ${key}, which moat does not know, so it leaves this repository alone.`, [
    `git config --file ${shellQuote(file)} --get ${shellQuote(key)}`,
    `git config --file ${shellQuote(file)} --unset-all ${shellQuote(key)}`,
  ])
}
