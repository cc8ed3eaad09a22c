// Owns what the proxy is told of a tunnel that it is to open: the header of the PROXY protocol, version 2. Pure.
import { isIPv4 } from 'node:net'
import { bytesOfIPv6 } from './address-kind.js'

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Version 2, a connection that is handed on; TCP over IPv6; of 36 bytes. */
const kind = Buffer.from([0x21, 0x21, 0, 36])

/**
 * Comes from the agent's id, as what the doorkeeper hands on does (forwarder/agents.c), with the port that was asked for, and leads
 * to the address and port that the host was found to have, and that may be reached.
 */
export function proxyHeader(runId: string, asked: number, address: string, port: number): Buffer {
  const from = Buffer.alloc(16)
  Buffer.from(runId.replace(/^run_/, ''), 'hex').copy(from)
  const to = Buffer.from(bytesOfIPv6(isIPv4(address) ? `::ffff:${address}` : address) ?? Buffer.alloc(16))
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(asked)
  ports.writeUInt16BE(port, 2)
  return Buffer.concat([signature, kind, from, to, ports])
}
