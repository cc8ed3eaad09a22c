// Owns the network behind the Docker API that agents' containers are on: they reach the world by it, and not each other.
import type Docker from 'dockerode'
import { MoatError } from '../errors.js'
import { engineError, statusOf } from './engine-errors.js'
import type { EngineTraits } from './engine-traits.js'
import type { EngineNetworks } from './networks.js'

/** The same for all who use the engine: engines have room for a few dozen networks only. */
const agentNetwork = 'moat'
/** What keeps containers on one network apart, or does not. */
const betweenContainers = 'com.docker.network.bridge.enable_icc'
const networkLabel = 'dev.moat.network'

export class DockerNetworks implements EngineNetworks {
  readonly #address: string
  readonly #docker: Docker
  readonly #traits: () => Promise<EngineTraits>

  constructor(docker: Docker, address: string, traits: () => Promise<EngineTraits>) {
    this.#address = address
    this.#docker = docker
    this.#traits = traits
  }

  /** Rejects for a network of that name on which containers reach each other. */
  ensure(): Promise<string | undefined> {
    return this.#ask('make the network for agents', async () => {
      // Podman has no way to keep containers on one network apart.
      if ((await this.#traits()).podman) return undefined
      await this.#ensure()
      return agentNetwork
    })
  }

  remove(): Promise<void> {
    return this.#ask('remove the network for agents', async () => {
      try {
        await this.#docker.getNetwork(agentNetwork).remove()
      } catch (error) {
        if (![403, 404, 409].includes(statusOf(error) ?? 0)) throw error
      }
    })
  }

  unused(): Promise<string[]> {
    return this.#ask('look for the network for agents', async () => {
      const found = await this.#inspect()
      const isOurs = found?.Labels?.[networkLabel] === 'true'
      return isOurs && Object.keys(found.Containers ?? {}).length === 0 ? [agentNetwork] : []
    })
  }

  /** Does it, and once more if the network was missing: somebody may remove it after a container was made for it. */
  async repairing<T>(start: () => Promise<T>): Promise<T> {
    try {
      return await start()
    } catch (error) {
      if (statusOf(error) !== 404 || !/network .*not found/i.test(String(error))) throw error
      await this.#ensure()
      return start()
    }
  }

  async #ensure(): Promise<void> {
    const found = await this.#inspect()
    if (found) return assertApart(found)
    try {
      const Options = { [betweenContainers]: 'false' }
      await this.#docker.createNetwork({
        Driver: 'bridge',
        Labels: { [networkLabel]: 'true' },
        Name: agentNetwork,
        Options,
      })
    } catch (error) {
      // Another run has made it at the same time.
      if (statusOf(error) !== 409) throw error
      const made = await this.#inspect()
      if (made) assertApart(made)
    }
  }

  async #inspect(): Promise<Docker.NetworkInspectInfo | undefined> {
    try {
      return (await this.#docker.getNetwork(agentNetwork).inspect()) as Docker.NetworkInspectInfo
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      throw error
    }
  }

  async #ask<T>(action: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request()
    } catch (error) {
      throw error instanceof MoatError ? error : engineError(action, error, this.#address)
    }
  }
}

function assertApart({ Driver, Options }: Docker.NetworkInspectInfo): void {
  if (Driver === 'bridge' && Options?.[betweenContainers] === 'false') return
  throw new MoatError(
    'ENGINE_FAILED',
    `The engine has a network ${agentNetwork} on which containers reach each other; moat keeps agents apart.`,
    { suggestions: [`docker network rm ${agentNetwork}   # moat makes its own`] },
  )
}
