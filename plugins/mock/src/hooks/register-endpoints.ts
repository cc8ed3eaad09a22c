// Registers endpoints of the type mock.
import type { RegisterEndpointsHook } from 'moat-cli/plugin'
import { register, type } from '../mock.js'
import type { MockOptions } from '../options.js'

const hook: RegisterEndpointsHook = async ({ endpoints, literal }) =>
  endpoints
    .filter((endpoint) => endpoint.type === type.name)
    .map(({ name, options }) => register(name, options as MockOptions, literal))

export default hook
