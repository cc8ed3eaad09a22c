// Owns telling a person what of a repository their own git would run, which an agent may have put there. moat runs none of it.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import type { GitPlace } from './git-place.js'
import { dangerousConfig } from './repository-config.js'

export async function programNotes(place: GitPlace): Promise<string[]> {
  const keys = (await dangerousConfig(place)).map(
    ({ file, key }) =>
      `${file} sets ${key}, by which your git may run a program; moat's does not. If it is not yours: git config --file ${shellQuote(file)} --unset-all ${shellQuote(key)}`,
  )
  const directory = join(place.commonDir, 'hooks')
  const hooks = await hooksIn(directory)
  if (hooks.length === 0) return keys
  const paths = hooks.map((name) => shellQuote(join(directory, name))).join(' ')
  const said = `${directory} has the ${hooks.length === 1 ? 'hook' : 'hooks'} ${hooks.join(', ')}, which your git runs; moat's does not. If not yours: rm ${paths}`
  return [...keys, said]
}

async function hooksIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  const runnable = await Promise.all(
    names.map(async (name) => {
      const entry = await stat(join(directory, name)).catch(() => undefined)
      return entry?.isFile() && (entry.mode & 0o111) !== 0 && !name.endsWith('.sample')
    }),
  )
  return names.filter((_, index) => runnable[index]).toSorted()
}
