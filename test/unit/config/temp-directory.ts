// Owns the directories the config tests write files in: one per test, removed after it.
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A new directory (its real path) that lives as long as the running test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'moat-config-')))
  onTestFinished(() => rm(directory, { force: true, recursive: true }))
  return directory
}
