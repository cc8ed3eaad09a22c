// Owns how what hosts say passes to agents when nobody reads it: in large pieces while there is much to carry, since each piece
// costs the same, into memory that is used again. What an agent sends is piped: Node gives no memory to sockets that it has accepted.
import type { OnReadOpts, Socket } from 'node:net'

/** What a connection has to read into. */
const usualSize = 65_536
/** And as long as that is filled each time. */
const largeSize = 524_288
/** Large ones, all told, and of one agent's connections: they are kept. */
const mostLarge = 32
const mostOfOne = 8
/** Of the usual ones, so many are kept for others. */
const mostKept = 64
/** Who reads less than this at a time has no use for a large one. */
const little = 32_768

/** Of all agents. */
export class LargeBuffers {
  #count = 0
  readonly #free: Buffer[] = []
  readonly #usual: Buffer[] = []

  take(): Buffer | undefined {
    const free = this.#free.pop()
    if (free || this.#count >= mostLarge) return free
    this.#count += 1
    return Buffer.allocUnsafeSlow(largeSize)
  }

  give(buffer: Buffer): void {
    this.#free.push(buffer)
  }

  /** Most connections are short: to make memory for each would be a tenth of what they cost. */
  takeUsual(): Buffer {
    return this.#usual.pop() ?? Buffer.allocUnsafeSlow(usualSize)
  }

  giveUsual(buffer: Buffer): void {
    if (this.#usual.length < mostKept) this.#usual.push(buffer)
  }
}

/** One agent's part of them. */
export class BufferShare {
  readonly all: LargeBuffers
  #count = 0

  constructor(all: LargeBuffers) {
    this.all = all
  }

  take(): Buffer | undefined {
    const buffer = this.#count < mostOfOne ? this.all.take() : undefined
    if (buffer) this.#count += 1
    return buffer
  }

  give(buffer: Buffer): void {
    this.#count -= 1
    this.all.give(buffer)
  }
}

/**
 * What one host says to one agent. Node reads into memory that is given for that, and what was read there goes on from there: so
 * nothing is read until the agent's side has taken all of it.
 */
export class Carrier {
  #client: Socket | undefined
  #isOver = false
  /** Undefined while it has none. */
  #large: Buffer | undefined
  #server: Socket | undefined
  readonly #share: BufferShare
  /** Which write has not been taken yet; 0 for none. */
  #pending = 0
  #usual: Buffer | undefined
  #writes = 0
  /** With this the host's socket is made, which is to be paused once it is connected. */
  readonly onread: OnReadOpts = {
    buffer: () => {
      this.#usual ??= this.#share.all.takeUsual()
      return this.#large ?? this.#usual
    },
    callback: (size, buffer) => this.#hand((buffer as Buffer).subarray(0, size)),
  }

  constructor(share: BufferShare) {
    this.#share = share
  }

  /** What the host says goes to this client from now on, its end as well. */
  carry(server: Socket, client: Socket): void {
    this.#client = client
    this.#server = server
    server.once('end', () => this.#client?.end())
    server.once('close', () => {
      this.#isOver = true
      this.#leave()
    })
    server.resume()
  }

  /** Ends the host's side, and leaves the client alone. */
  stop(): void {
    this.#client = undefined
    this.#server?.destroy()
  }

  #hand(bytes: Buffer): boolean {
    // What is being written would be another's by now. It does not happen; were it to, that would be the end.
    if (!this.#client || this.#pending > 0) {
      this.#server?.destroy()
      return false
    }
    this.#writes += 1
    const write = this.#writes
    this.#client.write(bytes, () => {
      if (write === this.#pending) this.#goOn()
    })
    // Then the system has it all, and the memory is free again.
    const isTaken = this.#client.writableLength === 0
    if (!isTaken) this.#pending = write
    if (bytes.length === usualSize) this.#large ??= this.#share.take()
    else if (bytes.length < little) this.#shrink()
    return isTaken
  }

  #goOn(): void {
    this.#pending = 0
    if (this.#isOver) this.#leave()
    else this.#server?.resume()
  }

  #leave(): void {
    this.#shrink()
    if (!this.#usual || this.#pending > 0) return
    this.#share.all.giveUsual(this.#usual)
    this.#usual = undefined
  }

  /** Only while Node is about to ask what to read into, or never will again: else it would read into what others have by then. */
  #shrink(): void {
    if (!this.#large || this.#pending > 0) return
    this.#share.give(this.#large)
    this.#large = undefined
  }
}
