// Declares the endpoint type tcp.
import type { EndpointTypesHook } from 'moat-cli/plugin'
import { type } from '../tcp.js'

const hook: EndpointTypesHook = async () => [type]

export default hook
