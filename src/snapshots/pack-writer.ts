// Owns writing many files into the store at once: a pack, which git writes as well, but more slowly by half. Content is compressed
// in a thread meanwhile. Until `finish` has ended, the store has nothing of it.
import { createHash, randomUUID } from 'node:crypto'
import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { crc32, createDeflate } from 'node:zlib'
import { saveToDisk } from '../config/save-to-disk.js'
import { IndexedIds, type PackedObject, packHead, packIndex } from './pack-format.js'
import { blobHead, type Packed, PackThread, packAll } from './pack-thread.js'

/** Bytes that are compressed at once. What has more is compressed in pieces of that. */
const piece = 1024 * 1024
/** Pieces that the thread has to do at most. */
const mostWaiting = 8
/** As git calls what it has not finished. */
const unfinished = 'tmp_'

export class PackWriter {
  #batch = emptyBatch()
  readonly #directory: string
  /** Undefined once it is closed. */
  #file: number | undefined
  readonly #known: IndexedIds[]
  readonly #objects: PackedObject[] = []
  readonly #path: string
  /** Of batches that are done: to ask for new ones takes longer. */
  readonly #rooms: Uint8Array<ArrayBuffer>[] = []
  #size = 0
  readonly #thread = new PackThread()
  /** The earliest first. */
  readonly #waiting: Promise<void>[] = []

  /** Of the store's directory of packs, while nobody else writes there. */
  constructor(directory: string) {
    this.#directory = directory
    const names = readdirSync(directory)
    // Of a moat that was killed.
    for (const name of names) if (name.startsWith(unfinished)) rmSync(join(directory, name))
    this.#known = names
      .filter((name) => name.endsWith('.idx') && names.includes(name.replace(/idx$/, 'pack')))
      .map((name) => new IndexedIds(readFileSync(join(directory, name))))
    this.#path = join(directory, `${unfinished}pack_${randomUUID()}`)
    this.#file = openSync(this.#path, 'wx+', 0o400)
    this.#write(packHead(0))
  }

  /** A promise where more would be too much for now; what it has to be waited for before more is added. */
  add(id: string, content: Buffer): Promise<void> | undefined {
    const bytes = Buffer.from(id, 'hex')
    if (this.#known.some((ids) => ids.has(bytes))) return undefined
    if (content.length > piece) return this.#addLarge(id, content)
    const work = this.#batch.length + content.length > piece ? this.#handOver() : undefined
    this.#batch.bytes.set(content, this.#batch.length)
    this.#batch.ids.push(id)
    this.#batch.sizes.push(content.length)
    this.#batch.length += content.length
    return work
  }

  /** Puts the pack in its place: git knows it then. */
  async finish(): Promise<void> {
    this.#handOver()
    await this.#settled()
    if (this.#objects.length === 0) return this.abandon()
    await this.#thread.end()
    const sum = this.#seal()
    const index = join(this.#directory, `${unfinished}idx_${randomUUID()}`)
    writeFileSync(index, packIndex(this.#objects, sum), { flag: 'wx', mode: 0o400 })
    await Promise.all([this.#path, index].map(saveToDisk))
    const name = join(this.#directory, `pack-${sum.toString('hex')}`)
    // git looks for indexes: what one is of is there by then.
    await rename(this.#path, `${name}.pack`)
    await rename(index, `${name}.idx`)
  }

  /** Nothing of it stays. */
  async abandon(): Promise<void> {
    await this.#thread.end()
    await Promise.allSettled(this.#waiting)
    this.#close()
    await rm(this.#path, { force: true })
  }

  /** To the thread, or, where it has enough to do, to nobody else. */
  #handOver(): Promise<void> | undefined {
    const { bytes, ids, sizes } = this.#batch
    if (ids.length === 0) return undefined
    this.#batch = emptyBatch(this.#rooms.pop())
    if (this.#waiting.length >= mostWaiting) {
      this.#append(ids, packAll({ bytes, sizes }))
      this.#rooms.push(bytes)
      // What the thread has done meanwhile is written.
      return setImmediate()
    }
    const done = this.#thread.pack({ bytes, sizes }).then(([packed, room]) => {
      this.#append(ids, packed)
      this.#rooms.push(room)
      this.#waiting.shift()
    })
    // Whoever waits for all is told.
    done.catch(() => {})
    this.#waiting.push(done)
    return undefined
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#waiting)
  }

  #append(ids: readonly string[], { bytes, crcs, sizes }: Packed): void {
    for (const [index, id] of ids.entries()) {
      this.#objects.push({ crc: crcs[index] ?? 0, id, offset: this.#size })
      this.#size += sizes[index] ?? 0
    }
    writeFileSync(this.#opened, bytes)
  }

  /** Of what is large, no second copy is made. */
  async #addLarge(id: string, content: Buffer): Promise<void> {
    this.#handOver()
    await this.#settled()
    const head = blobHead(content.length)
    const object = { crc: crc32(head), id, offset: this.#size }
    this.#write(head)
    for await (const part of Readable.from(pieces(content)).pipe(createDeflate({ level: 1 }))) {
      object.crc = crc32(part, object.crc)
      this.#write(part)
    }
    this.#objects.push(object)
  }

  #write(bytes: Uint8Array): void {
    writeFileSync(this.#opened, bytes)
    this.#size += bytes.length
  }

  /** The sum is of all, with how many there are at the beginning. */
  #seal(): Buffer {
    writeSync(this.#opened, packHead(this.#objects.length), 0, null, 0)
    const sum = createHash('sha256')
    const buffer = Buffer.allocUnsafe(piece)
    for (let at = 0; at < this.#size; ) {
      const read = readSync(this.#opened, buffer, 0, piece, at)
      if (read === 0) throw new Error(`${this.#path} has become shorter`)
      sum.update(buffer.subarray(0, read))
      at += read
    }
    const bytes = sum.digest()
    this.#write(bytes)
    this.#close()
    return bytes
  }

  get #opened(): number {
    if (this.#file === undefined) throw new Error(`${this.#path} is closed`)
    return this.#file
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}

function emptyBatch(bytes = new Uint8Array(piece)) {
  return { bytes, ids: [] as string[], length: 0, sizes: [] as number[] }
}

function* pieces(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += piece) yield content.subarray(at, at + piece)
}
