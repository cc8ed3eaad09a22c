// Owns connections of the gate's to hosts: only to addresses that have been looked at, whichever of them answers first.
import { connect, isIPv6, type Socket } from 'node:net'
import type { NetworkPolicy } from '../egress/policy.js'
import { BufferShare, Carrier, LargeBuffers } from './carrier.js'
import { type Found, findAddresses } from './find-addresses.js'
import type { Target } from './target.js'
import type { TestHosts } from './test-hosts.js'

/** How long a host may take to accept. Milliseconds. */
const dialDeadline = 15_000
/** How long one of several addresses may take before the next is tried. Milliseconds. */
const attemptDeadline = 2_500
/** A peer that is gone without a word is found out. Milliseconds. */
const keepAliveDelay = 60_000
/** How many names one agent may have looked up at a time: a slow name server is to keep nobody else waiting. */
const mostLookups = 16
/** And how many may wait for that. */
const mostWaiting = 1_000

export type Dialled =
  | { socket: Socket }
  /** `refused`: by us, for where it leads. */
  | { problem: string; refused: boolean }

/** What the host says there is carried, and cannot be read. */
export type Tunnelled = Exclude<Dialled, { socket: Socket }> | { carrier: Carrier; socket: Socket }

/** Dials for one agent. */
export class Dialler {
  #asking = 0
  #count = 0
  readonly #hasRoom: (count: number) => boolean
  readonly #open = new Map<Socket, Target>()
  readonly #testHosts: TestHosts | undefined
  readonly #waiting: (() => void)[] = []

  readonly #share: BufferShare

  /** `hasRoom` is true when there is room for one more connection, of so many. */
  constructor(testHosts: TestHosts | undefined, hasRoom: (count: number) => boolean, buffers = new LargeBuffers()) {
    this.#hasRoom = hasRoom
    this.#share = new BufferShare(buffers)
    this.#testHosts = testHosts
  }

  /** How many connections to hosts there are, or are being tried. */
  get count(): number {
    return this.#count
  }

  /** For one connection of this agent's. */
  carrier(): Carrier {
    return new Carrier(this.#share)
  }

  async dialTunnel(target: Target, policy: NetworkPolicy): Promise<Tunnelled> {
    const carrier = this.carrier()
    const dialled = await this.dial(target, policy, carrier)
    return 'problem' in dialled ? dialled : { ...dialled, carrier }
  }

  /** Rejects with nothing: what goes wrong is a problem. */
  async dial(target: Target, policy: NetworkPolicy, carrier?: Carrier): Promise<Dialled> {
    const found = await this.find(target, policy)
    if ('problem' in found) return found
    if (!this.#hasRoom(this.#count)) return { problem: 'too many connections', refused: false }
    this.#count += 1
    const dialled = await connectTo(found.addresses, found.port, carrier)
    if ('problem' in dialled || dialled.socket.closed) this.#count -= 1
    else this.#keep(dialled.socket, target)
    return dialled
  }

  /** Ends what is open to such hosts. */
  end(isMeant: (target: Target) => boolean): void {
    for (const [socket, target] of this.#open) if (isMeant(target)) socket.destroy()
  }

  /** A connection that others lead to the host ends with what is open to it. */
  follow(socket: Socket, target: Target): void {
    this.#open.set(socket, target)
    socket.once('close', () => this.#open.delete(socket))
  }

  #keep(socket: Socket, target: Target): void {
    this.follow(socket, target)
    socket.once('close', () => {
      this.#count -= 1
    })
  }

  async find(target: Target, policy: NetworkPolicy): Promise<Found> {
    if (this.#waiting.length >= mostWaiting) return { problem: 'too many names are looked up', refused: false }
    if (this.#asking >= mostLookups) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#asking += 1
    try {
      return await findAddresses(target, policy, this.#testHosts)
    } finally {
      this.#asking -= 1
      this.#waiting.shift()?.()
    }
  }
}

/** To whichever of these addresses answers first. */
export function connectTo(addresses: readonly string[], port: number, carrier?: Carrier): Promise<Dialled> {
  const all = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
  return new Promise((resolve) => {
    const socket = connect({
      allowHalfOpen: true,
      autoSelectFamily: all.length > 1,
      autoSelectFamilyAttemptTimeout: attemptDeadline,
      // A name that is looked up by whoever asks: nobody is asked.
      host: 'resolved.invalid',
      keepAlive: true,
      keepAliveInitialDelay: keepAliveDelay,
      lookup: (_host, { all: every }, callback) => {
        const [first] = all
        if (every) callback(null, all)
        else callback(null, first?.address ?? '', first?.family ?? 4)
      },
      noDelay: true,
      ...(carrier && { onread: carrier.onread }),
      port,
    })
    const fail = (problem: string) => {
      socket.destroy()
      resolve({ problem, refused: false })
    }
    const timer = setTimeout(() => fail('it does not answer'), dialDeadline)
    socket.once('connect', () => {
      clearTimeout(timer)
      // Until there is somebody to carry it to.
      if (carrier) socket.pause()
      socket.removeAllListeners('error').on('error', () => {})
      resolve({ socket })
    })
    socket.once('error', (error) => {
      clearTimeout(timer)
      fail((error as NodeJS.ErrnoException).code ?? error.message)
    })
  })
}
