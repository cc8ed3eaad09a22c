// moat as its users have it: packed as npm publishes it, and installed elsewhere. Done once for all end-to-end tests, by
// vitest's global set-up.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'

const run = promisify(execFile)

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the installed moat's bin/run.js. */
    packedMoat: string
  }
}

/** Each project that has end-to-end tests loads this file for itself; they share what it makes. */
const shared = globalThis as { packedMoat?: Promise<string> }

/** Packs and installs; the function returned removes it all. */
export default async function setup(project: TestProject): Promise<() => void> {
  shared.packedMoat ??= packAndInstall()
  const directory = await shared.packedMoat
  project.provide('packedMoat', join(directory, 'node_modules/moat-cli/bin/run.js'))
  return () => rmSync(directory, { force: true, recursive: true })
}

async function packAndInstall(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'moat-pack-'))
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', directory])
  const [tarball = ''] = readdirSync(directory)
  await run('npm', ['install', '--prefix', directory, '--no-save', join(directory, tarball)])
  return directory
}
