// Owns the endpoint type `tcp`: how its port is published, and how it is reached by its name.
import type { EndpointRegistration, EndpointType, NamedPort } from 'moat-cli/plugin'
import type { TcpOptions } from './options.js'

/** Checked by zod, which takes longer to load than all else of this: it is loaded for who has such an endpoint. */
export const type: EndpointType<TcpOptions> = {
  name: 'tcp',
  options: {
    safeParseAsync: async (value) => {
      schema = (await import('./options.js')).options
      return schema.safeParseAsync(value)
    },
    get shape() {
      return schema?.shape ?? {}
    },
  },
}

let schema: typeof import('./options.js').options | undefined

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
