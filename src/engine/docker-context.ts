// Owns reading the Docker CLI's contexts: which one is in use, and where its engine answers.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { object, type Shape, text, textThat } from '../config/shapes.js'
import { systemCode } from '../errors.js'

/** A context in use: where its engine answers, or why that cannot be told. */
export type DockerContext = { name: string } & ({ address: string } | { problem: string })

const configShape = object({}, { currentContext: text })
const host = textThat((value) => value !== '', 'is empty')
const metaShape = object({ Endpoints: object({ docker: object({ Host: host }) }) })

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
    const config = await readJson(configFile, configShape)
    if (config === undefined) return undefined
    if (config === 'unreadable') return { name: 'of the Docker CLI', problem: `${configFile} cannot be read` }
    name = config.currentContext
  }
  if (!name || name === 'default') return undefined
  const id = createHash('sha256').update(name).digest('hex')
  const metaFile = join(directory, 'contexts', 'meta', id, 'meta.json')
  const meta = await readJson(metaFile, metaShape)
  if (meta === undefined) return { name, problem: 'there is no such context' }
  if (meta === 'unreadable') return { name, problem: `${metaFile} cannot be read` }
  return { address: meta.Endpoints.docker.Host, name }
}

async function readJson<T>(path: string, shape: Shape<T>): Promise<T | 'unreadable' | undefined> {
  try {
    return shape(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : 'unreadable'
  }
}
