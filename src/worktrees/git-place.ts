// Owns finding the repository of a directory from files alone. git is told what was found, so that neither its config nor a
// file an agent may have left decides where git looks.
import { lstat, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError } from '../errors.js'
import { readGitFile } from './read-git-file.js'

/** Which repository, and which checkout of it, git is to work in. All paths are absolute and real. */
export interface GitPlace {
  /** The repository's own directory: objects, refs, config. */
  commonDir: string
  /** What git keeps for this checkout; the same as `commonDir` for the main one. */
  gitDir: string
  /** The top of the checkout; undefined where only the repository is meant. */
  root?: string
}

/** The repository itself, whichever checkout it was reached from. */
export function repositoryAt(commonDir: string): GitPlace {
  return { commonDir, gitDir: commonDir }
}

/**
 * The main checkout, or bare repository, `directory` is in: one whose git directory has no other. Undefined where there is
 * none, or a linked worktree is met first. Throws REPOSITORY_UNSAFE.
 */
export async function findMainCheckout(directory: string): Promise<GitPlace | undefined> {
  for (let current = directory; ; current = dirname(current)) {
    const gitDir = await gitDirOf(join(current, '.git'))
    if (gitDir === null) return undefined
    if (gitDir !== undefined) {
      await assertItsOwn(gitDir)
      return { commonDir: gitDir, gitDir, root: current }
    }
    if (await isGitDirectory(current)) return repositoryAt(current)
    if (dirname(current) === current) return undefined
  }
}

/** True for what git takes for a repository's directory. */
export async function isGitDirectory(path: string): Promise<boolean> {
  const [head, objects, refs] = await Promise.all(
    ['HEAD', 'objects', 'refs'].map((name) => stat(join(path, name)).catch(() => undefined)),
  )
  return Boolean(head?.isFile() && objects?.isDirectory() && refs?.isDirectory())
}

/** Where a `.git` leads; null for a linked worktree's, or one that leads nowhere; undefined where git looks further up. */
async function gitDirOf(path: string): Promise<string | null | undefined> {
  const entry = await stat(path).catch(() => undefined)
  if (entry?.isDirectory()) return (await isGitDirectory(path)) ? realpath(path) : undefined
  if (!entry?.isFile()) return undefined
  const target = /^gitdir: (.+?)\r?\n*$/s.exec((await readGitFile(path)) ?? '')?.[1]
  if (target === undefined) return null
  const gitDir = await realpath(resolve(dirname(path), target)).catch(() => undefined)
  return gitDir !== undefined && (await isGitDirectory(gitDir)) ? gitDir : null
}

/**
 * git takes config and hooks from where a file `commondir` leads; a repository has none, but its worktrees' directories, and
 * moat's, which leads to the repository itself.
 */
async function assertItsOwn(gitDir: string): Promise<void> {
  const file = join(gitDir, 'commondir')
  const entry = await lstat(file).catch(() => undefined)
  if (!entry || (entry.isFile() && entry.size <= 2 && (await readGitFile(file))?.trim() === '.')) return
  throw unsafe(
    `${file} sends git to another repository's config and hooks; git makes no such file there, and a program has.`,
    [`cat ${shellQuote(file)}`, `rm ${shellQuote(file)}`],
  )
}

/** What git of the host is told to leave alone until a person has looked. */
export function unsafe(message: string, suggestions: string[]): MoatError {
  return new MoatError('REPOSITORY_UNSAFE', message, { exit: exitCodes.usage, suggestions })
}

/** What a person calls the repository: the directory of its main checkout, or of itself. */
export function mainDirectory(commonDir: string): string {
  return basename(commonDir) === '.git' ? dirname(commonDir) : commonDir
}
