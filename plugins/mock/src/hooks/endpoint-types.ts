// Declares the endpoint type mock.
import type { EndpointTypesHook } from 'moat-cli/plugin'
import { type } from '../mock.js'

const hook: EndpointTypesHook = async () => [type]

export default hook
