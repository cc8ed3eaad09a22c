// Owns how frameworks read the patterns of hosts in their configuration: pure.

/** True when the framework takes `host` for that pattern. Both in lower case. */
export type HostMatcher = (pattern: string, host: string) => boolean

/** `*` is one label; `**`, which may only come first, is one or more. */
export const wildcards: HostMatcher = (pattern, host) => {
  const wanted = pattern.split('.')
  const labels = host.split('.')
  // A wildcard for everything is taken for a mistake.
  if (wanted.length === 1 && wanted[0]?.startsWith('*')) return false
  const open = wanted[0] === '**'
  const rest = open ? wanted.slice(1) : wanted
  if (open ? labels.length <= rest.length : labels.length !== rest.length) return false
  const tail = labels.slice(labels.length - rest.length)
  return rest.every((part, index) => part === '*' || part === tail[index])
}

/** A dot at the beginning stands for the host and all below it. */
export const dotted: HostMatcher = (pattern, host) =>
  pattern.startsWith('.') ? `.${host}`.endsWith(pattern) : pattern === host
