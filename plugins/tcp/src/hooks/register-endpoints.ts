// Registers endpoints of the type tcp.
import type { RegisterEndpointsHook } from 'moat-cli/plugin'
import type { TcpOptions } from '../options.js'
import { register, type } from '../tcp.js'

const hook: RegisterEndpointsHook = async ({ endpoints }) =>
  endpoints
    .filter((endpoint) => endpoint.type === type.name)
    .map(({ name, options }) => register(name, options as TcpOptions))

export default hook
