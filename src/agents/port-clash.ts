// Owns noticing that a program wanted a port of its container on which moat's forwarder listens: it only says "in use", and
// nobody would think of moat.

const complaint = /EADDRINUSE|address (?:is )?(?:already )?in use|port \d+ (?:is|was) (?:already )?in use/i
/** Longer than any complaint, which may come in two pieces. */
const overlap = 64

export class PortClash {
  readonly #ports: readonly number[]
  #end = ''
  #seen = false

  /** `ports` are those of the forwarder; none if there is no forwarder. */
  constructor(ports: readonly number[]) {
    this.#ports = ports
  }

  /** Takes in what the program writes. */
  hear(piece: string): void {
    if (this.#seen || this.#ports.length === 0) return
    const text = this.#end + piece
    this.#seen = complaint.test(text)
    this.#end = text.slice(-overlap)
  }

  /** What a person should know once the program has failed; undefined when it complained of no port. */
  get hint(): string | undefined {
    if (!this.#seen) return undefined
    const one = this.#ports.length === 1
    const which = one ? `port ${this.#ports[0]}` : `port ${this.#ports.join(' or ')}`
    return `If it was ${which} that is in use: in its container moat listens there, for the agent's own URLs. Under ports in moat.yaml it becomes the agent's.`
  }
}
