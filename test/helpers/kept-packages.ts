// What package managers have put together for tests, kept for the next run of the tests beside what the set-up fetches: to copy it takes a
// fraction of the time.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const storage = join(
  process.env.MOAT_SETUP_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'moat-setup'),
  'packages',
)

export interface KeptPackages {
  /** Where they are put. */
  directory: string
  /** All that says what they are; those of another month are made anew, with what there is by then. */
  key: unknown
  /** Puts them there. */
  make: () => Promise<void>
  /** What that makes or changes, in `directory`; without it, all of it. */
  made?: string[]
}

/** As `make` would have put them there, by which they are where nobody has made them yet. */
export async function withKeptPackages({ directory, key, made = ['.'], make }: KeptPackages): Promise<void> {
  const month = new Date().toISOString().slice(0, 7)
  const kept = join(storage, `${month}-${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 16)}`)
  if (!existsSync(kept)) {
    await make()
    mkdirSync(storage, { recursive: true })
    for (const name of readdirSync(storage)) {
      if (/^\d/.test(name) && !name.startsWith(month)) rmSync(join(storage, name), { force: true, recursive: true })
    }
    const staging = mkdtempSync(join(storage, 'new-'))
    await copy(directory, made, staging)
    try {
      renameSync(staging, kept)
    } catch {
      // Another file of tests was quicker.
      rmSync(staging, { recursive: true })
    }
    return
  }
  await copy(kept, made, directory)
}

async function copy(from: string, names: readonly string[], to: string): Promise<void> {
  const there = names.filter((name) => existsSync(join(from, name)))
  await run('cp', ['-a', '--', ...there, to], { cwd: from })
}
