// Owns the thread in which content is compressed while more of it is read.
import { Worker } from 'node:worker_threads'

export interface Batch {
  /** Contents, one after the other. */
  bytes: Uint8Array<ArrayBuffer>
  sizes: number[]
}

/** What a pack has of a batch: for each content a head and a zlib stream. */
export interface Packed {
  bytes: Uint8Array<ArrayBuffer>
  /** Of each with its head. */
  crcs: number[]
  sizes: number[]
}

/** What goes before the zlib stream of content that has `size` bytes: what it is, four bits of that number, then seven at a time. */
export function blobHead(size: number): Uint8Array {
  const bytes = [(3 << 4) | (size % 16)]
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((bytes.pop() ?? 0) | 0x80, rest % 128)
  }
  return Uint8Array.from(bytes)
}

/**
 * Runs in the thread too, which is given the text of both: nothing else is there. To look for what repeats itself takes longer than all
 * the rest, and in small contents it saves a fifth: there only frequent bytes have fewer bits. Nor is there a window of the usual size for
 * them: to make one takes longer than to use it.
 */
export function packAll({ bytes, sizes }: Batch): Packed {
  const { constants, crc32, deflateSync } = process.getBuiltinModule('node:zlib')
  const small = { memLevel: 6, strategy: constants.Z_HUFFMAN_ONLY, windowBits: 13 }
  let from = 0
  const parts = sizes.map((size) => {
    const options = size <= 8192 ? small : {}
    const content = bytes.subarray(from, from + size)
    from += size
    return [blobHead(size), deflateSync(content, { chunkSize: size + 1024, level: 1, ...options })] as const
  })
  const all = new Uint8Array(parts.reduce((sum, [head, stream]) => sum + head.length + stream.length, 0))
  const packed: Packed = { bytes: all, crcs: [], sizes: [] }
  let to = 0
  for (const [head, stream] of parts) {
    const end = to + head.length + stream.length
    all.set(head, to)
    all.set(stream, to + head.length)
    packed.crcs.push(crc32(all.subarray(to, end)))
    packed.sizes.push(end - to)
    to = end
  }
  return packed
}

const program = `
${blobHead}
${packAll}
const { parentPort } = process.getBuiltinModule('node:worker_threads')
parentPort.on('message', (batch) => {
  const packed = packAll(batch)
  parentPort.postMessage([packed, batch.bytes], [packed.bytes.buffer, batch.bytes.buffer])
})`

interface Waiting {
  reject: (error: unknown) => void
  resolve: (answer: Answer) => void
}

/** With the batch's own room, for the next. */
type Answer = [packed: Packed, room: Uint8Array<ArrayBuffer>]

export class PackThread {
  /** In the order in which they are answered. */
  readonly #waiting: Waiting[] = []
  readonly #worker = new Worker(program, { eval: true })

  constructor() {
    this.#worker.on('message', (answer: Answer) => this.#waiting.shift()?.resolve(answer))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the thread that compresses has ended')))
  }

  /** The batch is given away. */
  pack(batch: Batch): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ reject, resolve })
      this.#worker.postMessage(batch, [batch.bytes.buffer])
    })
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
