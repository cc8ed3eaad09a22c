// Owns which engine a supervisor follows: once found, that one and no other. On another one all agents would seem to be gone.
import { connectEngine } from '../engine/connect-engine.js'
import type { Engine } from '../engine/engine.js'

export class FollowedEngine {
  /** Where it answers; undefined before it was found. */
  address: string | undefined
  readonly #env: NodeJS.ProcessEnv
  readonly #moatHome: string
  #socket: string | undefined

  constructor(env: NodeJS.ProcessEnv, moatHome: string) {
    this.#env = env
    this.#moatHome = moatHome
  }

  async connect(): Promise<Engine> {
    const found = this.#socket !== undefined && { DOCKER_HOST: this.#socket, MOAT_RUNTIME: '' }
    const engine = await connectEngine({ env: { ...this.#env, ...found }, moatHome: this.#moatHome })
    this.address = engine.address
    // A TCP engine came from a setting that still stands, with certificates an address alone would lose.
    if (engine.address.startsWith('unix://')) this.#socket = engine.address
    return engine
  }
}
