// Owns what a pack of git's is made of, in a repository of SHA-256: its head, and the index by which git finds what is in it. Pure.
// gitformat-pack(5) describes both.
import { createHash } from 'node:crypto'

/** An object as it lies in a pack. */
export interface PackedObject {
  /** Of its bytes there. */
  crc: number
  id: string
  offset: number
}

/** Bytes of an id, and of the sums at the ends of both files. */
const idBytes = 32
/** Bytes of an index before the first id. */
const indexHead = 8 + 256 * 4
const magic = 0xff74_4f63
/** From there on an offset is in a table of its own. */
const far = 0x8000_0000

export function packHead(objects: number): Buffer {
  const head = Buffer.alloc(12)
  head.write('PACK', 'latin1')
  head.writeUInt32BE(2, 4)
  head.writeUInt32BE(objects, 8)
  return head
}

/** For each first byte how many ids there are up to it, the ids in order, their sums, and where they are. */
export function packIndex(objects: readonly PackedObject[], packSum: Buffer): Buffer {
  const sorted = objects.toSorted((one, other) => (one.id < other.id ? -1 : 1))
  const sums = indexHead + sorted.length * idBytes
  const offsets = sums + sorted.length * 4
  const table = offsets + sorted.length * 4
  const end = table + sorted.filter(({ offset }) => offset >= far).length * 8
  const bytes = Buffer.alloc(end + 2 * idBytes)
  bytes.writeUInt32BE(magic, 0)
  bytes.writeUInt32BE(2, 4)
  const counts = new Uint32Array(256)
  let farther = 0
  for (const [index, { crc, id, offset }] of sorted.entries()) {
    const at = indexHead + index * idBytes
    bytes.write(id, at, 'hex')
    counts[bytes.readUInt8(at)] = index + 1
    bytes.writeUInt32BE(crc, sums + index * 4)
    if (offset < far) bytes.writeUInt32BE(offset, offsets + index * 4)
    else {
      bytes.writeUInt32BE(far + farther, offsets + index * 4)
      bytes.writeBigUInt64BE(BigInt(offset), table + farther * 8)
      farther += 1
    }
  }
  let count = 0
  for (const [byte, upTo] of counts.entries()) {
    count = Math.max(count, upTo)
    bytes.writeUInt32BE(count, 8 + byte * 4)
  }
  packSum.copy(bytes, end)
  createHash('sha256')
    .update(bytes.subarray(0, end + idBytes))
    .digest()
    .copy(bytes, end + idBytes)
  return bytes
}

/** The ids of an index. One that is no such index has none. */
export class IndexedIds {
  readonly #bytes: Buffer

  constructor(index: Buffer) {
    const isIndex =
      index.length >= indexHead + 2 * idBytes && index.readUInt32BE(0) === magic && index.readUInt32BE(4) === 2
    const isWhole = isIndex && index.length >= indexHead + index.readUInt32BE(indexHead - 4) * (idBytes + 8)
    this.#bytes = isWhole ? index : Buffer.alloc(indexHead)
  }

  has(id: Buffer): boolean {
    const first = id.readUInt8(0)
    let low = first === 0 ? 0 : this.#bytes.readUInt32BE(8 + (first - 1) * 4)
    let high = this.#bytes.readUInt32BE(8 + first * 4)
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = indexHead + middle * idBytes
      const order = this.#bytes.compare(id, 0, idBytes, at, at + idBytes)
      if (order === 0) return true
      if (order < 0) low = middle + 1
      else high = middle
    }
    return false
  }
}
