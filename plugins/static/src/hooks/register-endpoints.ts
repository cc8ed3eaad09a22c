// Registers endpoints of the type static.
import type { RegisterEndpointsHook } from 'moat-cli/plugin'
import type { StaticOptions } from '../options.js'
import { register, type } from '../static.js'

const hook: RegisterEndpointsHook = ({ agent, endpoints }) =>
  Promise.all(
    endpoints
      .filter((endpoint) => endpoint.type === type.name)
      .map(({ name, options }) => register(name, options as StaticOptions, agent.workspace)),
  )

export default hook
