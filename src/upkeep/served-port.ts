// Owns the note of the port that is served: there while a proxy runs, and left behind only by one that was killed. It is a
// wish, not a fact: whoever reads it binds the port, and finds out.
import { readFile, rm, writeFile } from 'node:fs/promises'
import type { MoatPaths } from '../config/paths.js'

type Paths = Pick<MoatPaths, 'servedPort'>

export async function noteServedPort({ servedPort }: Paths, port: number): Promise<void> {
  await writeFile(servedPort, `${port}\n`, { mode: 0o600 })
}

/** For a proxy that ends on purpose. */
export async function forgetServedPort({ servedPort }: Paths): Promise<void> {
  await rm(servedPort, { force: true, recursive: true })
}

/** The port of a proxy that was killed; undefined when it was stopped, or when nothing sensible was noted. */
export async function formerPort({ servedPort }: Paths): Promise<number | undefined> {
  const text = await readFile(servedPort, 'utf8').catch(() => '')
  const port = /^\d{1,5}\n?$/.test(text) ? Number(text) : 0
  return port > 0 && port <= 65_535 ? port : undefined
}
