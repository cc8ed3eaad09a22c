// Type tests: checked by `tsc`, never run. What must not compile is marked; it is an error if it does compile.
import { z } from 'zod'
import type { EndpointType, EndpointTypesHook } from '../../src/endpoints/endpoint-type.js'

const options = z.strictObject({ path: z.string() })

const files: EndpointType<z.infer<typeof options>> = {
  name: 'files',
  options,
  register: ({ options: { path } }) => ({ routes: path === '' ? [] : [{ upstream: { port: 80, protocol: 'http' } }] }),
}

export const hook: EndpointTypesHook = async () => [files]

// @ts-expect-error A hook returns endpoint types.
export const wrongResult: EndpointTypesHook = async () => ['files']

export const wrongOptions: EndpointType<z.infer<typeof options>> = {
  name: 'files',
  options,
  // @ts-expect-error The options have no `port`.
  register: ({ options: { port } }) => ({ port, routes: [] }),
}

export const wrongProtocol: EndpointType<unknown> = {
  name: 'x',
  options: z.unknown(),
  // @ts-expect-error Caddy speaks http, https and h2c to what is behind an endpoint.
  register: () => ({ routes: [{ upstream: { port: 80, protocol: 'ftp' } }] }),
}
