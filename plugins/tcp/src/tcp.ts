// Owns the endpoint type `tcp`: how its port is published, and how it is reached by its name.
import type { EndpointRegistration, LateEndpointType, NamedPort } from 'moat-cli/plugin'
import type { TcpOptions } from './options.js'

export const type: LateEndpointType<TcpOptions> = {
  loadOptions: async () => (await import('./options.js')).options,
  name: 'tcp',
}

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
