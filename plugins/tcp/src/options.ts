// Owns what stands beside `type: tcp` in moat.yaml.
import { z } from 'zod'

const port = z.int('must be a port number from 1 to 65535').min(1).max(65_535)

export const options = z.strictObject({
  host_port: port.optional(),
  port,
  scheme: z
    .string('must be the scheme of a URL, such as postgres')
    .regex(/^[a-z][a-z0-9+.-]*$/, 'must be the scheme of a URL, such as postgres')
    .default('tcp'),
})

export type TcpOptions = z.infer<typeof options>
