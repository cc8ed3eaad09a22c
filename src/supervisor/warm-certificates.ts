// Owns having a host's certificate ready before anybody asks for it, and knowing that clients accept it.
import { readFile } from 'node:fs/promises'
import { connect } from 'node:tls'
import { systemCode } from '../errors.js'
import { handshakePort, type ProxyAddress } from '../routing/urls.js'

/** How long that may last. Of a certificate of this very second, clients may say that it is not yet valid: they read a coarser clock. Milliseconds. */
const validityDeadline = 2_000

/** Shakes hands once for each host. A host that fails is left for its first request to tell. */
export async function warmCertificates(hosts: readonly string[], port: number, certificateFile: string): Promise<void> {
  const ca = await readFile(certificateFile, 'utf8')
  await Promise.all(hosts.map((host) => warm(host, port, ca)))
}

/** What clients say of a certificate whose root is another. */
const otherRoot = new Set([
  'CERT_SIGNATURE_FAILURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** False when what serves there has certificates of another root than the one in this file. */
export async function isVouchedFor({ domain, port }: ProxyAddress, certificateFile: string): Promise<boolean> {
  const problem = await shakeHands(domain, handshakePort(port), await readFile(certificateFile, 'utf8'))
  return !otherRoot.has(problem ?? '')
}

/** What passes: a certificate of this very second, and a name that was asked for while Caddy changed its config. */
const passing = new Set(['CERT_NOT_YET_VALID', 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR'])

async function warm(host: string, port: number, ca: string): Promise<void> {
  const end = performance.now() + validityDeadline
  while (passing.has((await shakeHands(host, port, ca)) ?? '') && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The code of what went wrong, undefined when nothing did. */
function shakeHands(host: string, port: number, ca: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ca, host: '127.0.0.1', port, servername: host, timeout: validityDeadline })
    const finish = (code?: string) => {
      socket.destroy()
      resolve(code)
    }
    socket.once('secureConnect', () => finish())
    socket.once('timeout', () => finish('ETIMEDOUT'))
    socket.once('error', (error) => finish(systemCode(error) ?? error.message))
  })
}
