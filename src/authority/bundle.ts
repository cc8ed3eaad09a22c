// Owns files of authorities for programs that take one file in place of their own: roots of the image, and at the end moat's.
import { randomUUID } from 'node:crypto'
import { chmod, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { systemCode } from '../errors.js'
import { javaStore } from './java-store.js'

/** Readers of such files pass over what is no certificate. */
const beforeRoot = '\n# What moat adds\n'
const ending = '.pem'
const beginning = '-----BEGIN CERTIFICATE-----'

/** Of this one there is a second file, for Java. */
export const javaBundle = 'ca-bundle-java'
export const javaStoreFile = `${javaBundle}.jks`

export async function writeBundle(directory: string, name: string, roots: string, root: string): Promise<void> {
  const text = `${roots}${beforeRoot}${root}`
  await replaceFile(join(directory, bundleFile(name)), text)
  if (name === javaBundle) await replaceFile(join(directory, javaStoreFile), javaStore(text))
}

async function replaceFile(path: string, contents: Buffer | string): Promise<void> {
  // Containers see the directory, not the file: one that reads meanwhile reads a whole one.
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, contents)
  await chmod(draft, 0o644)
  await rename(draft, path)
}

/** How `writeBundle` has called it. */
export function bundleFile(name: string): string {
  return `${name}${ending}`
}

/** Puts new roots into the bundles of all agents; `egress` into those that have one of its kind. */
export async function renewBundles(
  { agents }: Pick<MoatPaths, 'agents'>,
  root: string,
  egress?: string,
): Promise<void> {
  for (const runId of await readdir(agents).catch(() => [])) {
    const directory = join(agents, runId)
    for (const file of await readdir(directory).catch(() => [])) {
      if (file.endsWith(ending)) await renew(directory, file.slice(0, -ending.length), root, egress)
    }
  }
}

async function renew(directory: string, name: string, root: string, egress = ''): Promise<void> {
  const text = await readFile(join(directory, bundleFile(name)), 'utf8').catch(() => undefined)
  const end = text?.lastIndexOf(beforeRoot) ?? -1
  if (text === undefined || end < 0) return
  // Whose requests are opened trusts two.
  const isOpened = text.slice(end).split(beginning).length > 2
  // An agent that ends meanwhile takes its directory with it.
  await writeBundle(directory, name, text.slice(0, end), isOpened ? root + egress : root).catch((error) => {
    if (systemCode(error) !== 'ENOENT') throw error
  })
}
