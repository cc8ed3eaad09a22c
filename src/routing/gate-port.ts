// Owns at which port of its container's loopback an agent under a policy finds the gate. Pure.

/** Above the ports that systems hand out for outgoing connections. */
const first = 61_080

/** `taken` are those of the container's servers, of the proxy, and of the user's machine that it may reach. */
export function gatePort(taken: Iterable<number>): number {
  const used = new Set(taken)
  let port = first
  while (used.has(port)) port += 1
  return port
}
