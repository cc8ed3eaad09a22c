// Owns the contract with plugins: oclif hooks and what goes through them, which endpoint types are made of. Exported as
// `moat-cli/plugin`; `http` has no other door. Fields may be added, never removed or renamed.
import type { Hook, Interfaces } from '@oclif/core'
import type { GrantProvider } from '../grants/provider.js'
import type { AgentProgram } from '../programs/contract.js'
import type { CaddyRoute, EndpointLink, NamedPort, Readiness, ServedFiles, UpstreamProtocol } from '../routing/agent.js'

/** A problem an options schema found. `path` leads to it from the options. */
export interface OptionIssue {
  code?: string | undefined
  keys?: string[]
  message: string
  /** `{ at: 'key' }` for a problem of the key itself, whose message is then a sentence of its own. */
  params?: Record<string, unknown> | undefined
  path: PropertyKey[]
}

/** What moat needs of a schema. Every zod schema is one, whichever copy of zod it comes from. */
export interface OptionsSchema<Options = unknown> {
  safeParseAsync(
    value: unknown,
  ): Promise<{ data: Options; success: true } | { error: { issues: readonly OptionIssue[] }; success: false }>
  /** The options by name, for `did you mean`; a zod object has it. */
  readonly shape?: Readonly<Record<string, unknown>>
}

/** What a plugin declares in the hook `moat:endpoint-types`. */
export interface EndpointType<Options = unknown> {
  /** What stands after `type:` in moat.yaml; a DNS label. */
  readonly name: string
  /** Checks and completes what stands beside `type:` in moat.yaml. Issues are shown with file:line:column. */
  readonly options: OptionsSchema<Options>
}

/** A type whose schema takes a while to load: it is loaded once an endpoint is of that type. */
export interface LateEndpointType<Options = unknown> extends Pick<EndpointType, 'name'> {
  loadOptions(): Promise<OptionsSchema<Options>>
}

/** An endpoint of an agent that is about to start. */
export interface DeclaredEndpoint<Options = unknown> {
  /** Its host name, `web.my-app.localhost`. */
  host: string
  /** Its name in moat.yaml, a DNS label. */
  name: string
  /** As the type's schema gave them back. */
  options: Options
  type: string
}

/** A container port to publish on 127.0.0.1. */
export interface PublishedPort {
  /**
   * The port on 127.0.0.1: a number, or `stable` for one that moat chooses and that stays the same when the container
   * restarts. Left out, the engine chooses one at each start, which is enough for what goes through the proxy.
   */
  hostPort?: number | 'stable'
  /** In the container. */
  port: number
}

/** What a type makes of one endpoint, returned from the hook `moat:register-endpoints`. */
export interface EndpointRegistration {
  /** More to show of it in `--json` and on the dashboard, by title. */
  columns?: Record<string, string>
  /** True when the bare agent host, `my-app.localhost`, leads here too. */
  default?: boolean
  /** The endpoint's name. */
  endpoint: string
  /** More variables for the container. `{moat.address.5432}` in a value is the address a port is published at. */
  env?: Record<string, string>
  /** A directory of the workspace that Caddy serves. It cannot be left, not by symbolic links either. */
  files?: ServedFiles
  links?: EndpointLink[]
  /**
   * A container port that speaks something else than HTTP, reached over TLS by the endpoint's host at the proxy's port as well, where
   * Caddy has the layer4 module. It is config: an agent that has one is a push.
   */
  named?: NamedPort
  /** The port to show, `web:3000`. Default: the upstream's, or the only published one; none shows the type instead. */
  port?: number
  ports?: PublishedPort[]
  readiness?: Readiness
  /**
   * Routes in Caddy's JSON, asked first, for this endpoint's hosts only; a `match` in them narrows further. What they
   * pass on goes to `files`, then to `upstream`, else it is answered 404. `{moat.dial.3000}` in them is the loopback
   * address of a published port. Text of users goes through `literal`, or Caddy takes braces in it for placeholders.
   */
  routes?: CaddyRoute[]
  /**
   * The container port that answers what `routes` pass on. It need not be in `ports`. `host` is what it sees as Host, in
   * place of the request's. `redirects: 'keep'` leaves a `Location` alone that names the container's own address and this port.
   */
  upstream?: { host?: string; port: number; protocol?: UpstreamProtocol; redirects?: 'keep' }
  /** Its address when it is not reached through the proxy: `postgres://{moat.address.5432}`. */
  url?: string
}

/** What the hook `moat:register-endpoints` is called with. A plugin answers for endpoints of its own types only. */
export interface RegisterEndpointsOptions {
  agent: {
    name: string
    /** The directory on the host that is /workspace in the container. */
    workspace: string
  }
  endpoints: readonly DeclaredEndpoint[]
  /** `text` as Caddy takes it literally: `{` starts a placeholder, and `{file./etc/passwd}` is one that it fills. */
  literal(text: string): string
}

/** What the hook `moat:agent-gone` is called with, once an agent's container and routes are gone. */
export interface AgentGoneOptions {
  agent: { name: string; runId: string; workspace: string }
  endpoints: readonly { name: string; port?: number; type: string; url?: string }[]
}

export const endpointTypesHook = 'moat:endpoint-types'
export const registerEndpointsHook = 'moat:register-endpoints'
export const grantProvidersHook = 'moat:grant-providers'
export const agentGoneHook = 'moat:agent-gone'
export const agentProgramsHook = 'moat:agent-programs'

// oclif 5 exports Hooks as a type alias, which module augmentation cannot extend; so hooks are typed by intersection.
export type MoatHooks = Interfaces.Hooks & {
  // biome-ignore lint/suspicious/noConfusingVoidType: it is what a function without a result returns.
  'moat:agent-gone': { options: AgentGoneOptions; return: void }
  'moat:agent-programs': { options: Record<string, never>; return: AgentProgram[] }
  // biome-ignore lint/suspicious/noExplicitAny: each type has options of its own, which only its schema knows.
  'moat:endpoint-types': { options: Record<string, never>; return: (EndpointType<any> | LateEndpointType<any>)[] }
  'moat:grant-providers': { options: Record<string, never>; return: GrantProvider[] }
  'moat:register-endpoints': { options: RegisterEndpointsOptions; return: EndpointRegistration[] }
}

/** The type of a plugin's function for each hook. */
export type EndpointTypesHook = Hook<'moat:endpoint-types', MoatHooks>
export type RegisterEndpointsHook = Hook<'moat:register-endpoints', MoatHooks>
export type GrantProvidersHook = Hook<'moat:grant-providers', MoatHooks>
export type AgentGoneHook = Hook<'moat:agent-gone', MoatHooks>
export type AgentProgramsHook = Hook<'moat:agent-programs', MoatHooks>
