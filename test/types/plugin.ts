// Type tests: checked by `tsc`, never run. What must not compile is marked; it is an error if it does compile.
import { z } from 'zod'
import type {
  AgentGoneHook,
  AgentProgram,
  AgentProgramsHook,
  CaddyRoute,
  EndpointRegistration,
  EndpointType,
  EndpointTypesHook,
  GrantProvider,
  GrantProvidersHook,
  LateEndpointType,
  RegisterEndpointsHook,
} from '../../src/plugin.js'

const options = z.strictObject({ path: z.string() })
type Options = z.infer<typeof options>

const files: EndpointType<Options> = { name: 'files', options }

const late: LateEndpointType<Options> = { loadOptions: async () => options, name: 'late' }

export const types: EndpointTypesHook = async () => [files, late]

export const register: RegisterEndpointsHook = async ({ agent, endpoints, literal }) =>
  endpoints
    .filter(({ type }) => type === 'files')
    .map(({ name, options: given }) => ({
      endpoint: name,
      files: { browse: true, root: (given as Options).path },
      links: [{ title: literal(agent.name), url: '/' }],
    }))

export const gone: AgentGoneHook = async ({ agent, endpoints }) => {
  if (endpoints.some(({ type }) => type === 'files')) process.stderr.write(agent.runId)
}

export const providers: GrantProvidersHook = async () => [
  { inject: [{ headers: { Authorization: 'Bearer {token}' }, hosts: ['api.my.test'] }], name: 'my', title: 'My API' },
]

const program: AgentProgram = {
  command: ({ print, prompt = '' }) => ['my-agent', ...(print ? ['--print'] : []), prompt],
  dependencies: ['npm:my-agent'],
  grants: ['my'],
  name: 'my',
  seeds: [{ linkTo: '/etc/my.md', path: '/var/lib/my/AGENTS.md' }],
  state: [{ directory: '/var/lib/my', scope: 'profile' }],
  title: 'My agent',
}

export const programs: AgentProgramsHook = async () => [program]

// @ts-expect-error What is kept is of a profile or of a repository.
export const wrongState: AgentProgram = { ...program, state: [{ directory: '/var/lib/my', scope: 'workspace' }] }

// @ts-expect-error A command line is made of words.
export const wrongCommand: AgentProgram = { ...program, command: () => 'my-agent' }

// @ts-expect-error A provider says for which hosts it sets something.
export const hostless: GrantProvider = { inject: [{ basic: 'user' }], name: 'my', title: 'My API' }

// @ts-expect-error A check is of a URL.
export const wrongCheck: GrantProvider = { check: { method: 'POST' }, inject: [], name: 'my', title: 'My API' }

// @ts-expect-error A hook returns providers.
export const wrongProviders: GrantProvidersHook = async () => ['my']

// @ts-expect-error A hook returns endpoint types.
export const wrongTypes: EndpointTypesHook = async () => ['files']

// @ts-expect-error The options are those of the schema.
export const wrongOptions: EndpointType<{ port: number }> = { name: 'files', options }

// @ts-expect-error Every registration says which endpoint it is of.
export const nameless: EndpointRegistration = { upstream: { port: 80 } }

// @ts-expect-error Caddy speaks http, https and h2c to what is behind an endpoint.
export const wrongProtocol: EndpointRegistration = { endpoint: 'web', upstream: { port: 80, protocol: 'ftp' } }

// @ts-expect-error A stable port is 'stable' or a number.
export const wrongPort: EndpointRegistration = { endpoint: 'db', ports: [{ hostPort: 'fixed', port: 5432 }] }

// @ts-expect-error A route has handlers.
export const wrongRoute: CaddyRoute = { match: [{ path: ['/x'] }] }
