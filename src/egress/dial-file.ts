// Owns the file by which Caddy comes to know where the gate takes its connections: a port on loopback, and a password, for other
// users of this machine reach the port as well.
import { readFile } from 'node:fs/promises'
import { z } from 'zod/mini'
import type { MoatPaths } from '../config/paths.js'
import { replaceFile } from '../config/replace-file.js'

export interface Dial {
  password: string
  port: number
}

const schema = z.object({
  password: z.string().check(z.regex(/^[0-9a-f]{32,}$/)),
  port: z.int().check(z.minimum(1), z.maximum(65_535)),
})

/** Undefined when there is none, or none that can be read: the gate makes it anew. */
export async function readDial({ egressDial }: Pick<MoatPaths, 'egressDial'>): Promise<Dial | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(egressDial, 'utf8')))
  } catch {
    return undefined
  }
}

export async function writeDial({ egressDial }: Pick<MoatPaths, 'egressDial'>, dial: Dial): Promise<void> {
  await replaceFile(egressDial, `${JSON.stringify(dial)}\n`, 0o600)
}
