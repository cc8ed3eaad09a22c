// Owns reading the Docker CLI's contexts: which one is in use, and where its engine answers.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../errors.js'

/** A context in use: where its engine answers, or why that cannot be told. */
export type DockerContext = { name: string } & ({ address: string } | { problem: string })

/** The Docker CLI's directory: `DOCKER_CONFIG`, or `.docker` in `home`. */
export function dockerConfigDirectory(env: NodeJS.ProcessEnv, home: string): string {
  return env.DOCKER_CONFIG || join(home, '.docker')
}

/**
 * The context of `DOCKER_CONTEXT`, else the Docker CLI's current one. Undefined for the context `default`, which is
 * just the default socket, and for a user who has none.
 */
export async function readDockerContext(env: NodeJS.ProcessEnv, home: string): Promise<DockerContext | undefined> {
  const directory = dockerConfigDirectory(env, home)
  const configFile = join(directory, 'config.json')
  let name = env.DOCKER_CONTEXT
  if (!name) {
    const config = await readJson(configFile)
    if (config === undefined) return undefined
    const current = config?.currentContext ?? ''
    if (!config || typeof current !== 'string')
      return { name: 'of the Docker CLI', problem: `${configFile} cannot be read` }
    name = current
  }
  if (!name || name === 'default') return undefined
  const id = createHash('sha256').update(name).digest('hex')
  const metaFile = join(directory, 'contexts', 'meta', id, 'meta.json')
  const meta = await readJson(metaFile)
  if (meta === undefined) return { name, problem: 'there is no such context' }
  const address = (meta as DockerMeta | null)?.Endpoints?.docker?.Host
  if (typeof address !== 'string' || address === '') return { name, problem: `${metaFile} cannot be read` }
  return { address, name }
}

/** As far as it is what the Docker CLI writes. */
interface DockerMeta {
  Endpoints?: { docker?: { Host?: unknown } | null } | null
}

/** Null for what is no JSON or no object of it; undefined where there is no file. */
async function readJson(path: string): Promise<Readonly<Record<string, unknown>> | null | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown> | null) : null
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : null
  }
}
