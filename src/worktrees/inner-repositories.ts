// Owns telling a person of repositories within a checkout by which `git status` in it may run a program: git looks into each that the
// index names, by that one's own config, and an agent can make one. moat's git looks into none.
import { lstat, realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { rawName, textName } from '../config/raw-name.js'
import { shellQuote } from '../config/shell-quote.js'
import { askGit } from './git.js'
import { type GitPlace, isGitDirectory } from './git-place.js'
import { readGitFile } from './read-git-file.js'
import { dangerousConfig } from './repository-config.js'

/** They may have others within; nobody has many, and an agent may have made any number. */
const mostLevels = 4
const most = 100
/** What bytes become that are no UTF-8. */
const noText = '\ufffd'

/** A sentence for each key. Never rejects: of what git cannot read it takes nothing. */
export async function innerNotes(place: GitPlace): Promise<string[]> {
  const { root } = place
  const inner = await innerRepositories(place)
  const notes = inner.odd.map(
    (path) =>
      `${path} is a repository to git status in ${root}, which runs what its config names; its path is no text, so moat has not looked into it`,
  )
  const told = (await programsOf(inner)).map(
    ({ file, fix, key }) =>
      `${file} sets ${key}, by which git status in ${root} may run a program, since it looks into that repository; moat's does not. If it is not yours: ${fix}`,
  )
  return [...notes, ...told]
}

interface InnerProgram {
  file: string
  /** The command that takes it out. */
  fix: string
  key: string
}

/** What `git status` in a checkout may run because the config of a repository within says so. Never rejects. */
export async function innerPrograms(place: GitPlace): Promise<InnerProgram[]> {
  return programsOf(await innerRepositories(place))
}

async function programsOf({ found }: Inner): Promise<InnerProgram[]> {
  const all = await Promise.all(found.map((inner) => dangerousConfig(inner).catch(() => [])))
  return all.flat().map(({ file, key }) => ({
    file,
    fix: `git config --file ${shellQuote(file)} --unset-all ${shellQuote(key)}`,
    key,
  }))
}

export interface Inner {
  found: GitPlace[]
  /** Paths that are no UTF-8: nobody's but an agent's. */
  odd: string[]
}

/** Repositories that git status looks into, by the index of the one that they lie in. Never rejects. */
export async function innerRepositories(place: GitPlace, levels: number = mostLevels): Promise<Inner> {
  const { root } = place
  const all: Inner = { found: [], odd: [] }
  if (root === undefined || levels === 0) return all
  const outcome = await askGit(place, ['ls-files', '--stage', '-z'], { encoding: 'latin1' }).catch(() => undefined)
  const paths = (outcome?.stdout ?? '').split('\0').flatMap((line) => /^160000 [^\t]*\t(.+)$/s.exec(line)?.[1] ?? [])
  for (const raw of paths.slice(0, most)) {
    const path = join(root, textName(raw))
    const isText = rawName(path) === join(rawName(root), raw)
    const inner = isText ? await repositoryIn(path) : 'odd'
    if (inner === 'odd') all.odd.push(path)
    if (inner === 'odd' || !inner) continue
    const within = await innerRepositories(inner, levels - 1)
    all.found.push(inner, ...within.found)
    all.odd.push(...within.odd)
  }
  return { found: all.found.slice(0, most), odd: all.odd.slice(0, most) }
}

/** What git, in that directory, takes for its repository. */
async function repositoryIn(root: string): Promise<GitPlace | 'odd' | undefined> {
  try {
    const own = join(root, '.git')
    const [, target] = (await lstat(own)).isFile()
      ? (/^gitdir: (.+?)\r?\n*$/s.exec((await readGitFile(own)) ?? '') ?? [])
      : []
    if (target?.includes(noText)) return 'odd'
    const gitDir = await realpath(target === undefined ? own : resolve(dirname(own), target))
    const common = (await readGitFile(join(gitDir, 'commondir')))?.trim()
    if (common?.includes(noText)) return 'odd'
    const commonDir = common ? await realpath(resolve(gitDir, common)) : gitDir
    return (await isGitDirectory(commonDir)) ? { commonDir, gitDir, root: await realpath(root) } : undefined
  } catch {
    return undefined
  }
}
