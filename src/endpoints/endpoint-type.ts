// Owns the contract of an endpoint type: code that turns one declared endpoint into routes. `http` has no other door.
import type { Hook, Interfaces } from '@oclif/core'
import type { z } from 'zod'
import type { RouteFragment } from '../routing/agent.js'

/** One endpoint of an agent about to start, with its options as the type's schema parsed them. */
export interface EndpointDeclaration<Options> {
  agent: { name: string; workspace: string }
  name: string
  options: Options
}

/** What a type makes of an endpoint. */
export interface EndpointRegistration {
  /** The port inside the container to publish on loopback, if the endpoint is one. */
  port?: number
  routes: Omit<RouteFragment, 'endpoint'>[]
}

export interface EndpointType<Options = unknown> {
  /** What stands after `type:` in moat.yaml; a DNS label. */
  readonly name: string
  /** Checks and completes the options of one endpoint in moat.yaml. */
  readonly options: z.ZodType<Options>
  register(declaration: EndpointDeclaration<Options>): EndpointRegistration
}

/** The hook in which a plugin declares its endpoint types. */
export const endpointTypesHook = 'moat:endpoint-types'

// oclif 5 exports Hooks as a type alias, which module augmentation cannot extend; so hooks are typed by intersection.
export type MoatHooks = Interfaces.Hooks & {
  'moat:endpoint-types': {
    options: Record<string, never>
    // biome-ignore lint/suspicious/noExplicitAny: each type has options of its own, which only its schema knows.
    return: EndpointType<any>[]
  }
}

export type EndpointTypesHook = Hook<'moat:endpoint-types', MoatHooks>
