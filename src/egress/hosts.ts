// Owns the one way a host is written, whatever way it was asked for, and which rules' hosts it is one of. Pure.

/** What DNS allows. */
const longestHost = 253
const longestLabel = 63

/**
 * Lower case, without brackets and without a dot at its end; an address in its one form, so that `0x7f.1` is `127.0.0.1` and
 * `::ffff:10.0.0.1` is `10.0.0.1`. Other characters in their `xn--` form. Undefined for what is no host.
 */
export function canonicalHost(text: string): string | undefined {
  const bracketed = text.startsWith('[') && text.endsWith(']')
  const bare = bracketed ? text.slice(1, -1) : text
  if (bare.includes(':')) return canonicalIPv6(bare)
  // Of ASCII nothing that a URL would read as something else: %, @, /, spaces.
  if (bracketed || bare === '' || /[^A-Za-z0-9._\-\u0080-\u{10ffff}]/u.test(bare)) return undefined
  const url = `http://${bare}/`
  if (!URL.canParse(url)) return undefined
  const host = new URL(url).hostname.replace(/\.$/, '')
  return isName(host) ? host : undefined
}

/** True for an address in its one form. */
export function isAddress(host: string): boolean {
  return host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host)
}

/** `host` in its one form; `pattern` as in `NetworkRule`. A wildcard below a name is never about an address. */
export function matchesHost(pattern: string, host: string): boolean {
  if (pattern === '*') return true
  if (!pattern.startsWith('*.')) return pattern === host
  return !isAddress(host) && host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1
}

/** True when `pattern` is about all that `other`, a host or a pattern too, is about. */
export function coversHost(pattern: string, other: string): boolean {
  if (pattern === '*' || pattern === other) return true
  return pattern.startsWith('*.') && matchesHost(pattern, other.startsWith('*.') ? `x${other.slice(1)}` : other)
}

function canonicalIPv6(text: string): string | undefined {
  if (!/^[0-9A-Fa-f:.]+$/.test(text)) return undefined
  const url = `http://[${text}]/`
  if (!URL.canParse(url)) return undefined
  const address = new URL(url).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address)
  if (!mapped) return address
  const [high = 0, low = 0] = mapped.slice(1).map((part) => Number.parseInt(part, 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

function isName(host: string): boolean {
  const labels = host.split('.')
  return (
    host.length <= longestHost &&
    labels.every((label) => label !== '' && label.length <= longestLabel && /^[a-z0-9_-]+$/.test(label))
  )
}
