// Owns `moat plugins install <file>`: oclif's command takes a path with a slash for a GitHub repository, and has npm look
// for a relative one in its own directory.
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError } from '../errors.js'

/** `word` as npm finds it wherever it runs: a path as `file:` and an absolute path, all else as it is. */
export async function resolveLocalPlugin(word: string, directory: string = process.cwd()): Promise<string> {
  if (word.startsWith('-') || (/^\w[\w+.-]*:/.test(word) && !word.startsWith('file:'))) return word
  const path = resolve(directory, word.replace(/^file:(\/\/)?/, ''))
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() && looksLikePath(word)) {
    throw usage(`${word} is a directory: link it instead, so that it is used as it is.`, [
      `moat plugins link ${shellQuote(word)}`,
    ])
  }
  if (found?.isFile()) return `file:${path}`
  if (!looksLikePath(word)) return word
  throw usage(`There is no file ${path}.`, ['npm pack', 'moat plugins link <directory>'])
}

/** A bare name is a package's, also when a directory here has the same. */
function looksLikePath(word: string): boolean {
  return /^(\.{0,2}\/|\.{1,2}$|file:|~)/.test(word) || /\.(tgz|tar\.gz|tar)$/.test(word)
}

function usage(message: string, suggestions: string[]): MoatError {
  return new MoatError('USAGE', message, { exit: exitCodes.usage, suggestions })
}
