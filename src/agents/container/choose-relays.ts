// Owns at which ports of a container the forwarder takes what comes over a published port. Pure.
import type { ChosenPort } from '../plan/choose-ports.js'

/** Above the ports that systems hand out for outgoing connections. */
const firstRelay = 61_001
/** What listens there is not root in every container, whom the ports below belong to. */
const firstOrdinary = 1_024

/**
 * A port for each server, none of them in use: from the port to the server's. It is the one that the server has on this machine,
 * if possible: then one address leads to it here and inside.
 */
export function chooseRelays(servers: readonly ChosenPort[], taken: readonly number[]): Map<number, number> {
  const relays = new Map<number, number>()
  const used = new Set([...taken, ...servers.map(({ port }) => port)])
  let next = firstRelay
  for (const { hostPort = 0, port } of servers) {
    while (used.has(next)) next += 1
    const relay = hostPort >= firstOrdinary && !used.has(hostPort) ? hostPort : next
    used.add(relay)
    relays.set(relay, port)
  }
  return relays
}
