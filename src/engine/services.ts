// Owns the part of the engine's port that is about services: containers beside those of agents, made for one run each.
import type { ProcessIdentity } from '../processes/process-facts.js'

/** A service's container that moat made. */
export interface ServiceContainer {
  /** True while a container of its run lives, or is just being made or removed. */
  agentLives: boolean
  containerId: string
  /** As moat.yaml calls it. */
  name: string
  /** Of the agent that it is for. */
  runId: string
  /** The process that started it: until that has its agent, nobody else removes it. */
  starter: ProcessIdentity | undefined
}

export interface EngineServices {
  /** Those of this moat, running or not. */
  list(): Promise<ServiceContainer[]>
}
