// Owns how SSH writes things down (RFC 4251): strings with their lengths, numbers, yes and no. Pure.

/** Reads from the front. Each method throws where the bytes do not have what is asked for. */
export class WireReader {
  #at = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  byte(): number {
    return this.take(1).readUInt8()
  }

  number(): number {
    return this.take(4).readUInt32BE()
  }

  string(): Buffer {
    return this.take(this.number())
  }

  /** One whose bytes are letters. */
  text(): string {
    const bytes = this.string()
    if (bytes.some((byte) => byte < 0x20 || byte > 0x7e)) throw new RangeError('it is no text')
    return bytes.toString('latin1')
  }

  /** Only the two that writers write: what one reader takes for yes and another for no is neither. */
  boolean(): boolean {
    const value = this.byte()
    if (value > 1) throw new RangeError('neither yes nor no')
    return value === 1
  }

  take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('it ends too early')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** Throws when anything is left. */
  end(): void {
    if (!this.isAtEnd) throw new RangeError('something follows')
  }
}

export function writeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function writeString(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([writeNumber(bytes.length), bytes])
}

/** The bytes with their length before them, as agents send messages. */
export function writeMessage(type: number, ...parts: Buffer[]): Buffer {
  return writeString(Buffer.concat([Buffer.from([type]), ...parts]))
}
