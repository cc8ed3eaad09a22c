// Owns a run's services as a person sees their start: images are had, then all start at the same time.
import { exitCodes, MoatError } from '../errors.js'
import type { PlannedService } from '../services/plan-services.js'
import { ServiceContainers, type ServiceContainersOptions } from '../services/service-containers.js'
import { ensureImage } from './container/ensure-image.js'
import type { AgentPlan } from './plan/plan-agent.js'
import type { Progress } from './progress.js'

type Plan = Pick<AgentPlan, 'container' | 'services'>
type RunServicesOptions = Omit<ServiceContainersOptions, 'limits' | 'runId'> & { progress: Progress }

export class RunServices {
  readonly #containers: ServiceContainers
  readonly #options: RunServicesOptions
  readonly #services: readonly PlannedService[]

  constructor({ container: { cpus, memory }, services }: Plan, options: RunServicesOptions, runId: string) {
    const limits = { ...(cpus !== undefined && { cpus }), ...(memory !== undefined && { memory }) }
    this.#containers = new ServiceContainers(services, { ...options, limits, runId })
    this.#options = options
    this.#services = services
  }

  /** What the agent is told of them. */
  get env(): Record<string, string> {
    return this.#containers.env
  }

  /** Resolves once they are ready. */
  async start(): Promise<void> {
    const { progress } = this.#options
    if (this.#services.length === 0) return
    for (const service of this.#services) await this.#pull(service)
    const names = this.#services.map(({ name }) => name).join(', ')
    await progress.step(`Starting ${names}`, () => this.#containers.start())
  }

  /** After a start that failed. */
  takeBack(): Promise<void> {
    return this.#containers.takeBack()
  }

  async #pull({ image, name, place }: PlannedService): Promise<void> {
    const { engine, progress, signal } = this.#options
    try {
      await ensureImage(engine, image, progress, signal)
    } catch (cause) {
      if (!(cause instanceof MoatError) || cause.code !== 'IMAGE_PULL') throw cause
      throw new MoatError('IMAGE_PULL', `${place}: ${cause.message}`, {
        cause,
        exit: exitCodes.failure,
        suggestions: [
          `docker pull ${image}`,
          `set another version under services.${name} in moat.yaml, or an image that the engine has, e.g. services: {${name}: {image: registry.example.com/${name}:1}}`,
        ],
      })
    }
  }
}
