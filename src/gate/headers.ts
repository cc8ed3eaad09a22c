// Owns which headers a proxy hands on. Pure.
import { isHopByHop } from '../routing/connection-headers.js'

/** Whatever Connection says of them. */
const kept = new Set(['content-length', 'host', 'sec-websocket-key', 'sec-websocket-version', 'sec-websocket-accept'])

/** Names and values by turns, as Node has them; without those that Connection names, too. */
export function handedOn(raw: readonly string[], leftOut: readonly string[] = []): string[] {
  const pairs = raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : []))
  const named = pairs
    .filter(([name = '']) => name.toLowerCase() === 'connection')
    .flatMap(([, value = '']) => value.split(',').map((one) => one.trim().toLowerCase()))
    .filter((name) => !kept.has(name))
  const out = new Set([...named, ...leftOut])
  return pairs.filter(([name = '']) => !isHopByHop(name) && !out.has(name.toLowerCase())).flat()
}

/** The values of one header, each as it was sent. */
export function valuesOf(raw: readonly string[], wanted: string): string[] {
  return raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === wanted)
}
