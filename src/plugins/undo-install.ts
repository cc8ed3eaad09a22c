// Owns leaving nothing behind of `moat plugins install` that failed: npm has listed a package by the time oclif finds
// that it is no plugin, and oclif takes back only what it was asked for by name.
import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const lists = ['package.json', 'package-lock.json']

/** Remembers which plugins are listed in `directory`; the function returned makes it so again. */
export async function rememberPlugins(directory: string): Promise<() => Promise<void>> {
  const read = () => Promise.all(lists.map((list) => readFile(join(directory, list), 'utf8').catch(() => undefined)))
  const before = await read()
  return async () => {
    const after = await read()
    if (after.every((text, index) => text === before[index])) return
    for (const [index, list] of lists.entries()) {
      const text = before[index]
      if (text === undefined) await rm(join(directory, list), { force: true })
      else await writeFile(join(directory, list), text)
    }
    if (before[0] === undefined) await rm(join(directory, 'node_modules'), { force: true, recursive: true })
    else await prune(directory)
  }
}

/** Removes what is installed and not listed. If that fails, npm does it with the next installation. */
async function prune(directory: string): Promise<void> {
  const oclif = createRequire(import.meta.url).resolve('@oclif/plugin-plugins')
  const npm = join(dirname(createRequire(oclif).resolve('npm/package.json')), 'bin', 'npm-cli.js')
  const args = [npm, 'prune', '--offline', '--no-audit', '--no-fund', '--silent']
  await promisify(execFile)(process.execPath, args, { cwd: directory }).catch(() => undefined)
}
