// Owns the endpoint type `tcp`: its options, and how its port is published.
import type { EndpointRegistration, EndpointType } from 'moat-cli/plugin'
import { z } from 'zod'

const port = z.int('must be a port number from 1 to 65535').min(1).max(65_535)

const options = z.strictObject({
  host_port: port.optional(),
  port,
  scheme: z
    .string('must be the scheme of a URL, such as postgres')
    .regex(/^[a-z][a-z0-9+.-]*$/, 'must be the scheme of a URL, such as postgres')
    .default('tcp'),
})

export type TcpOptions = z.infer<typeof options>

export const type: EndpointType<TcpOptions> = { name: 'tcp', options }

/** Its address is not the proxy's: the port is published on loopback, at the same place after each restart. */
export function register(endpoint: string, { host_port: hostPort, port, scheme }: TcpOptions): EndpointRegistration {
  return {
    endpoint,
    port,
    ports: [{ hostPort: hostPort ?? 'stable', port }],
    readiness: { kind: 'tcp', port },
    url: `${scheme}://{moat.address.${port}}`,
  }
}
