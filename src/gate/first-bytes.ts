// Owns what the first bytes of a tunnel say: whether TLS is spoken, and for which host, or HTTP. Nothing is decrypted. Pure.

export type FirstBytes =
  /** It takes more bytes to tell. */
  | { kind: 'more' }
  /** Without a name where the client gives none. */
  | { kind: 'tls'; serverName?: string }
  /** HTTP/1: requests that say themselves which host they are for. */
  | { kind: 'http' }
  | { kind: 'other' }
  /** Begins as TLS or HTTP does and goes on otherwise, or speaks what nobody here can read (HTTP/2 without TLS). */
  | { kind: 'malformed' }

const handshake = 0x16
const clientHello = 1
const serverNameExtension = 0
const hostNameType = 0
/** Those of browsers have less than 2,000 bytes, or 4,000 with keys that quantum computers do not break. */
const longestHello = 32_768
/** Those that are sent need one, seldom two or three. */
const mostRecords = 32
/** As Node takes it for all headers together. */
const longestLine = 16_384

export function readFirstBytes(bytes: Buffer): FirstBytes {
  if (bytes.length === 0) return { kind: 'more' }
  return bytes[0] === handshake ? readTls(bytes) : readLine(bytes)
}

/** `GET /path HTTP/1.1`; servers overlook empty lines before it. */
function readLine(bytes: Buffer): FirstBytes {
  const text = bytes
    .subarray(0, longestLine)
    .toString('latin1')
    .replace(/^[\r\n]+/, '')
  if (text === '') return bytes.length < longestLine ? { kind: 'more' } : { kind: 'malformed' }
  const end = text.indexOf('\n')
  // What no request begins with needs no whole line.
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]|$)/.test(text)) return { kind: 'other' }
  if (end < 0) return bytes.length < longestLine ? { kind: 'more' } : { kind: 'malformed' }
  const [, version] = /[ \t]HTTP\/(\S*)\s*$/i.exec(text.slice(0, end)) ?? []
  if (version === undefined) return { kind: 'other' }
  return { kind: version.startsWith('1.') ? 'http' : 'malformed' }
}

/** A handshake message may lie in several records, and a record arrive in several pieces. */
function readTls(bytes: Buffer): FirstBytes {
  const pieces: Buffer[] = []
  let at = 0
  while (bytes.length >= at + 5 && pieces.length < mostRecords) {
    const length = bytes.readUInt16BE(at + 3)
    if (bytes[at] !== handshake || bytes[at + 1] !== 3 || length === 0) return { kind: 'malformed' }
    pieces.push(bytes.subarray(at + 5, at + 5 + length))
    at += 5 + length
  }
  const message = Buffer.concat(pieces)
  if (message.length > 0 && message[0] !== clientHello) return { kind: 'malformed' }
  const size = message.length < 4 ? undefined : 4 + message.readUIntBE(1, 3)
  if (size !== undefined && size > longestHello) return { kind: 'malformed' }
  if (size === undefined || message.length < size) {
    return { kind: pieces.length < mostRecords && bytes.length < 2 * longestHello ? 'more' : 'malformed' }
  }
  try {
    return readHello(new Reader(message.subarray(4, size)))
  } catch {
    return { kind: 'malformed' }
  }
}

function readHello(hello: Reader): FirstBytes {
  // Version and random, session, ciphers, compression.
  hello.take(34)
  hello.vector(1)
  hello.vector(2)
  hello.vector(1)
  if (hello.isAtEnd) return { kind: 'tls' }
  const extensions = hello.vector(2)
  const names: string[] = []
  while (!extensions.isAtEnd) {
    const type = extensions.number(2)
    const body = extensions.vector(2)
    if (type !== serverNameExtension) continue
    for (const list = body.vector(2); !list.isAtEnd; ) {
      if (list.number(1) !== hostNameType) throw new Error('a name of a kind that there is not')
      names.push(list.vector(2).text())
    }
  }
  // Of two, nobody knows which one the server takes.
  if (names.length > 1) return { kind: 'malformed' }
  return { kind: 'tls', ...(names[0] !== undefined && { serverName: names[0] }) }
}

/** Reads what TLS writes; throws at the end. */
class Reader {
  #at = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  take(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw new Error('it ends too early')
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  number(size: number): number {
    return this.take(size).readUIntBE(0, size)
  }

  /** What follows its own length. */
  vector(size: number): Reader {
    return new Reader(this.take(this.number(size)))
  }

  text(): string {
    return this.#bytes.toString('latin1')
  }
}
