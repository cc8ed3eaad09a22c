// Owns the endpoint type `tcp`: its options, how its port is published, and how it is reached by its name.
import type { EndpointRegistration, EndpointType, NamedPort } from 'moat-cli/plugin'
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

/** Its URL is not the proxy's: the port is published on loopback, at the same place after each restart. */
export function register(endpoint: string, { host_port: hostPort, port, scheme }: TcpOptions): EndpointRegistration {
  return {
    endpoint,
    named: { port, ...(speaksPostgres(port, scheme) && postgres) },
    port,
    ports: [{ hostPort: hostPort ?? 'stable', port }],
    readiness: { kind: 'tcp', port },
    url: `${scheme}://{moat.address.${port}}`,
  }
}

/** From version 17 its clients can begin with a handshake, and ask for this in it; all can ask for one first. */
const postgres: Partial<NamedPort> = { alpn: ['postgresql'], start: 'postgres' }

function speaksPostgres(port: number, scheme: string): boolean {
  return /^postgres(ql)?$/.test(scheme) || (scheme === 'tcp' && port === 5432)
}
