// Owns what is known of a server from a first connection to it: whether it speaks what its endpoint says. Pure.
import type { UpstreamProtocol } from './agent.js'

/** What an endpoint's server is expected to speak. */
export type Expected = UpstreamProtocol

export type Greeting =
  /** As expected, as far as that can be seen. */
  | { kind: 'proper' }
  /** It takes connections and ends them without a word. */
  | { kind: 'closes' }
  /** An HTTP server, but with TLS, without, or with HTTP/2 only. */
  | { kind: 'h1' | 'h2c' | 'plain' | 'tls' }
  /** No HTTP at all; `name` is the protocol where it is known. */
  | { kind: 'other'; name?: string }
  /** It closes connections, and is reached through a port that the engine publishes, which takes connections that lead nowhere. */
  | { kind: 'unled' }
  /** It listens, but at no address at which the forwarder in its container finds it. */
  | { kind: 'unreached' }

/** What servers say that speak first. */
const banners: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^SSH-/, 'SSH'],
  [/^220[ -].*FTP/i, 'FTP'],
  [/^220[ -]/, 'SMTP'],
  [/^\+OK/, 'POP3'],
  [/^\* (OK|PREAUTH)/, 'IMAP'],
  [/^RFB \d/, 'VNC'],
  [/^-(ERR|DENIED|NOAUTH)/, 'Redis'],
  // A greeting of protocol version 10, after the four bytes of a packet's head.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it begins so.
  [/^[\s\S]{3}\x00\x0a[\d.]+/, 'MySQL'],
  [/^\{.*"msgpack"|^INFO \{/, 'NATS'],
]

/** What the first bytes are that a server sends, before or after it has been sent something that is no request. */
export function spoken(bytes: Buffer): 'h2c' | 'http' | 'tls' | { name?: string } {
  const text = bytes.toString('latin1')
  if (text.startsWith('HTTP/')) return 'http'
  // A handshake or an alert, of version 3.
  if ((bytes[0] === 0x16 || bytes[0] === 0x15) && bytes[1] === 0x03) return 'tls'
  // SETTINGS or GOAWAY, of the connection itself.
  if (bytes.length >= 9 && (bytes[3] === 0x04 || bytes[3] === 0x07) && bytes.readUInt32BE(5) === 0) return 'h2c'
  const name = banners.find(([pattern]) => pattern.test(text))?.[1]
  return name === undefined ? {} : { name }
}

/** What those bytes mean for who expects something. */
export function judgeSpoken(what: ReturnType<typeof spoken>, expected: Expected): Greeting {
  if (typeof what === 'object') return { kind: 'other', ...what }
  if (what === 'tls') return expected === 'https' ? { kind: 'proper' } : { kind: 'tls' }
  if (what === 'h2c') return expected === 'h2c' ? { kind: 'proper' } : { kind: 'h2c' }
  if (expected === 'http') return { kind: 'proper' }
  return { kind: expected === 'https' ? 'plain' : 'h1' }
}

/** What to tell about a server that is not as expected. */
export function explainGreeting(
  agent: string,
  endpoint: string,
  port: number,
  greeting: Exclude<Greeting, { kind: 'proper' }>,
): { detail: string; hint: string } {
  const server = `The server on port ${port}`
  const declare = (protocol: string) => `\`${endpoint}: {port: ${port}, protocol: ${protocol}}\` under \`ports\``
  switch (greeting.kind) {
    case 'closes':
      return { detail: `${server} accepts connections and closes them without an answer.`, hint: `moat logs ${agent}` }
    case 'tls':
      return {
        detail: `${server} speaks HTTPS, not plain HTTP as moat.yaml has it.`,
        hint: `Write ${declare('https')} in moat.yaml.`,
      }
    case 'plain':
      return {
        detail: `${server} speaks plain HTTP, not HTTPS as moat.yaml has it.`,
        hint: `Remove \`protocol: https\` from ${endpoint} under \`ports\` in moat.yaml.`,
      }
    case 'h2c':
      return {
        detail: `${server} speaks only HTTP/2 without TLS (h2c).`,
        hint: `Write ${declare('h2c')} in moat.yaml.`,
      }
    case 'h1':
      return {
        detail: `${server} speaks HTTP/1.1, not HTTP/2 without TLS (h2c) as moat.yaml has it.`,
        hint: `Remove \`protocol: h2c\` from ${endpoint} under \`ports\` in moat.yaml.`,
      }
    case 'unreached':
      return {
        detail: `${server} listens where the proxy does not reach it: on IPv6 only, or on an address of its own.`,
        hint: 'Have it listen on all addresses: HOST=0.0.0.0, or --host 0.0.0.0.',
      }
    case 'unled':
      return {
        detail: `${server} closes connections without an answer, or listens on IPv6 only, where this engine does not reach it.`,
        hint: 'Have it listen on all addresses: HOST=0.0.0.0, or --host 0.0.0.0.',
      }
    case 'other':
      return {
        detail: `${server} speaks ${greeting.name ?? 'a protocol that is not HTTP'}${greeting.name ? ', not HTTP' : ''}.`,
        hint: `Is ${port} the web server's port? Correct \`${endpoint}\` under \`ports\` in moat.yaml.`,
      }
  }
}
