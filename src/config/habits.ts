// Owns what is said to somebody who writes moat.yaml as a Compose file, or with quotes that YAML does not need: what the same
// thing is called here. Each text is the end of a message; empty where nothing is to be said. Pure.

/** Keys of Compose, by what does the same. */
const composeKeys: Readonly<Record<string, string>> = {
  cmd: 'command',
  entrypoint: 'command',
  environment: 'env',
  env_vars: 'env',
  expose: 'ports',
  image: 'base_image',
  run: 'command',
  script: 'command',
  volume: 'mounts',
  volumes: 'mounts',
}

/** Keys that lie elsewhere, or for which there is something else. */
const elsewhere: Readonly<Record<string, string>> = {
  build: 'an image is built from "dependencies" and "hooks.post_build"',
  deploy: 'limits stand under "container"',
  env_file: 'there are only "env", and the flag -e',
  mem_limit: 'it is called "container.memory", in MiB',
  restart: 'an agent that has ended stays ended',
  working_dir: 'it is always /workspace',
}

/** For a key that there is none of in the mapping at `path`, where `known` are the keys of all mappings by their path. */
export function keyHint(
  key: string,
  path: string,
  known: Readonly<Record<string, readonly string[]>>,
): string | undefined {
  const own = known[path] ?? []
  const other = composeKeys[key]
  if (other !== undefined && own.includes(other)) return `did you mean "${other}"?`
  if (path === '' && own.includes('base_image') && elsewhere[key] !== undefined) return elsewhere[key]
  const places = Object.keys(known).filter((name) => name !== path && !name.includes('*'))
  const place = places.find((name) => known[name]?.includes(key))
  if (place === undefined || (place !== '' && path !== '')) return undefined
  return place === '' ? 'it belongs at the top of the file' : `it belongs under "${place}"`
}

/** For text that stands where `test` would take the number or boolean in it. */
export function quotesHint(input: unknown, test: (value: unknown) => boolean): string {
  if (typeof input !== 'string') return ''
  const isNumber = /^\d+(\.\d+)?$/.test(input)
  const value = ['true', 'false'].includes(input) ? input === 'true' : isNumber ? Number(input) : undefined
  return value !== undefined && test(value) ? '; write it without quotes' : ''
}

/** For `8080:3000`, `127.0.0.1:8080:3000` and `3000/tcp`. */
export function portHint(input: unknown): string {
  const port = portIn(input)
  return port === undefined || String(input) === port
    ? ''
    : `; write only the port in the container, ${port}: moat gives it a URL`
}

/** For a list of ports. */
export function portsHint(input: unknown): string {
  if (!Array.isArray(input) || input.length === 0) return ''
  const ports = input.map(portIn)
  if (!ports.every((port) => port !== undefined)) return ''
  const [first, ...others] = ports
  const names = [`web: ${first}`, ...others.map((port) => `port-${port}: ${port}`)]
  return `; give each a name: {${names.join(', ')}}`
}

/** For variables as a list. Values are not repeated: they may be secrets. */
export function envHint(input: unknown): string {
  if (!Array.isArray(input)) return ''
  return input.some((item) => typeof item === 'string' && item.includes('='))
    ? '; write KEY: value instead of KEY=value'
    : ''
}

/** For a list of dependencies that is a mapping or a text. */
export function dependenciesHint(input: unknown): string {
  if (typeof input === 'string' && /^[\w@.:/-]+$/.test(input)) return `; write [${input}]`
  if (!(input instanceof Object) || Array.isArray(input)) return ''
  const items = Object.entries(input).map(([name, version]) =>
    ['number', 'string'].includes(typeof version) && version !== '' ? `${name}@${version}` : name,
  )
  return items.length > 0 && items.every((item) => /^[\w@.:/-]+$/.test(item)) ? `; write [${items.join(', ')}]` : ''
}

/** For `512m` and `2g`. */
export function memoryHint(input: unknown): string {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt])i?b?$/i.exec(typeof input === 'string' ? input : '') ?? []
  if (number === undefined) return ''
  const factor = { g: 1024, k: 1 / 1024, m: 1, t: 1024 * 1024 }[unit.toLowerCase()] ?? 1
  const size = Math.round(Number(number) * factor)
  return size >= 6 ? `; write ${size}` : ''
}

function portIn(input: unknown): string | undefined {
  if (typeof input === 'number') return String(input)
  const mapping = input instanceof Object && !Array.isArray(input) ? (input as { target?: unknown }).target : undefined
  if (mapping !== undefined) return portIn(mapping)
  return /^(?:[\w.[\]:-]*:)?(\d{1,5})(?:\/(?:tcp|udp))?$/.exec(typeof input === 'string' ? input : '')?.[1]
}
