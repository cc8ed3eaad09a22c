// Registers endpoints of the built-in types, through the same hook as any plugin.
import type { DeclaredEndpoint, RegisterEndpointsHook } from '../endpoints/contract.js'
import { http, registerHttp } from '../endpoints/http.js'

const hook: RegisterEndpointsHook = ({ endpoints, literal }) =>
  Promise.all(
    endpoints
      .filter(({ type }) => type === http.name)
      .map((endpoint) =>
        registerHttp(endpoint as DeclaredEndpoint<Parameters<typeof registerHttp>[0]['options']>, literal),
      ),
  )

export default hook
