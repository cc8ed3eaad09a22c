// Declares the built-in endpoint types, through the same hook as any plugin.
import type { EndpointTypesHook } from '../endpoints/contract.js'
import { http } from '../endpoints/http.js'

const hook: EndpointTypesHook = async () => [http]

export default hook
