// Owns services' containers behind the Docker API: by labels of their own, which no agent has, and by moat's seal.
import type Docker from 'dockerode'
import type { ContainerInfo } from 'dockerode'
import { sealKeyFile } from '../config/paths.js'
import type { ProcessIdentity } from '../processes/process-facts.js'
import { engineError } from './engine-errors.js'
import { judgeContainer } from './judge-container.js'
import { labels, serviceLabels } from './labels.js'
import { stateOf } from './listed-container.js'
import { readSealKey } from './seal-key.js'
import type { EngineServices, ServiceContainer } from './services.js'

export interface DockerServicesOptions {
  address: string
  /** What the engine lists, as its events have told of it. */
  correct: (containers: readonly ContainerInfo[]) => ContainerInfo[]
  home: string | undefined
}

export class DockerServices implements EngineServices {
  readonly #docker: Docker
  readonly #options: DockerServicesOptions

  constructor(docker: Docker, options: DockerServicesOptions) {
    this.#docker = docker
    this.#options = options
  }

  async list(): Promise<ServiceContainer[]> {
    const { address, correct, home } = this.#options
    if (home === undefined) return []
    try {
      const filters = { label: [serviceLabels.service] }
      const found = await this.#docker.listContainers({ all: true, filters })
      const key = await readSealKey(sealKeyFile(home))
      const own = found.filter((info) => judgeContainer(info, { home, key }) === 'genuine')
      if (own.length === 0) return []
      // After them: an agent that is made meanwhile is seen. One that was renamed, or cannot be read, is an agent all the same.
      const agents = await this.#docker.listContainers({ all: true, filters: { label: [labels.runId] } })
      const living = new Set(
        correct(agents)
          .filter(isThere)
          .map((info) => info.Labels[labels.runId]),
      )
      return own.flatMap((info) => readService(info, living))
    } catch (error) {
      throw engineError('list the containers of services', error, address)
    }
  }
}

/** A word of the engine's own is no end. */
function isThere(info: ContainerInfo): boolean {
  const state = stateOf(info)
  return state !== 'exited' && state !== 'dead'
}

function readService({ Id, Labels }: ContainerInfo, living: ReadonlySet<string | undefined>): ServiceContainer[] {
  const { [serviceLabels.run]: runId, [serviceLabels.service]: name, [serviceLabels.starter]: starter } = Labels
  if (!runId || !name) return []
  return [{ agentLives: living.has(runId), containerId: Id, name, runId, starter: readStarter(starter) }]
}

function readStarter(text = ''): ProcessIdentity | undefined {
  const [pid, startedAt] = text.split('@', 2).map(Number)
  return Number.isSafeInteger(pid) && Number.isFinite(startedAt)
    ? { pid: Number(pid), startedAt: Number(startedAt) }
    : undefined
}
