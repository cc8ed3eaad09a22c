// Declares the endpoint type static.
import type { EndpointTypesHook } from 'moat-cli/plugin'
import { type } from '../static.js'

const hook: EndpointTypesHook = async () => [type]

export default hook
