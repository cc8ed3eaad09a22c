// Owns the check of trust: a client of each of this machine's trust stores, and Node, shake hands with the running proxy.
import { readFile } from 'node:fs/promises'
import { connect } from 'node:tls'
import { probeStores, type StoreStatus } from '../authority/plan-trust.js'
import { findStores, storeContext } from '../authority/stores/find-stores.js'
import { handshakePort, type ProxyAddress } from '../routing/urls.js'
import { addressOf } from '../supervisor/protocol.js'
import { type DoctorContext, type Finding, fail, ok, warn } from './diagnosis.js'

/** For one handshake. Milliseconds. */
const deadline = 5_000

export async function checkTrust({ paths, proxy }: DoctorContext): Promise<Finding[]> {
  const running = await proxy()
  if (!running) {
    const message = 'Not checked, because the proxy is not running: only a handshake can tell.'
    return [warn('trust', message, ['moat proxy start --detach && moat doctor'])]
  }
  const address = addressOf(running)
  // First with the root itself: if that fails, it is not about anybody's store.
  const own = await shakeHands(address, await readFile(paths.caCertificate, 'utf8'))
  if (own !== undefined) {
    const message = `The proxy's certificate does not come from ${paths.caCertificate}: ${own}.`
    return [fail('trust', message, ['moat proxy stop && moat proxy start --detach'])]
  }
  const stores = await probeStores(await findStores(storeContext(paths)), address)
  return [...stores.flatMap(findingOf), await checkNodeTrust(address, paths.caCertificate)]
}

/** Nothing of a store that no client here can be asked about. */
function findingOf({ client, id, name, reason, trusted }: StoreStatus): Finding[] {
  if (trusted === undefined) return []
  const check = `trust (${id})`
  if (trusted) return [ok(check, `${name}: ${client} trusts the proxy's certificate.`)]
  const message = `${name}: ${client} does not trust the proxy's certificate: ${reason?.replace(/\.$/, '')}.`
  return [warn(check, message, ['moat proxy trust'])]
}

/** By Node's own roots and NODE_EXTRA_CA_CERTS: it reads no store. */
async function checkNodeTrust(address: ProxyAddress, certificate: string): Promise<Finding> {
  const reason = await shakeHands(address)
  if (reason === undefined) return ok('trust (node)', "Node.js trusts the proxy's certificate.")
  const message = `Node.js does not trust the proxy's certificate: ${reason}.`
  return warn('trust (node)', message, [`export NODE_EXTRA_CA_CERTS=${certificate}`])
}

/** Why Node does not accept the proxy's certificate, by `ca` alone if given; undefined when it does. */
function shakeHands({ domain, port }: ProxyAddress, ca?: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const target = { host: '127.0.0.1', port: handshakePort(port), servername: domain }
    const socket = connect({ ...target, timeout: deadline, ...(ca && { ca }) })
    const finish = (reason?: string) => {
      socket.destroy()
      resolve(reason)
    }
    socket.once('secureConnect', () => finish())
    socket.once('timeout', () => finish('no answer'))
    socket.once('error', (error) => finish(error.message))
  })
}
