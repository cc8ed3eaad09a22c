// Owns at which ports of a container the forwarder takes what comes over a published port. Pure.

/** Above the ports that systems hand out for outgoing connections. */
const firstRelay = 61_001

/** A port for each server, none of them in use: from the port to the server's. */
export function chooseRelays(servers: readonly number[], taken: readonly number[]): Map<number, number> {
  const relays = new Map<number, number>()
  let relay = firstRelay
  for (const server of servers) {
    while (taken.includes(relay)) relay += 1
    relays.set(relay, server)
    relay += 1
  }
  return relays
}
