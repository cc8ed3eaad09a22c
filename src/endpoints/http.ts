// Owns the built-in endpoint type: a port in the container that speaks HTTP.
import { z } from 'zod'
import type { EndpointType } from './endpoint-type.js'

const options = z.strictObject({ port: z.int().min(1).max(65_535) })

export const http: EndpointType<z.infer<typeof options>> = {
  name: 'http',
  options,
  register: ({ options: { port } }) => ({ port, routes: [{ upstream: { port, protocol: 'http' } }] }),
}
