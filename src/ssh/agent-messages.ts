// Owns the numbers and shapes of what ssh and its agents say to each other (draft-ietf-sshm-ssh-agent), as far as moat speaks it. Pure.
import { type WireReader, writeMessage, writeNumber, writeString } from './wire.js'

export const messages = {
  extension: 27,
  extensionFailure: 28,
  failure: 5,
  identities: 12,
  listIdentities: 11,
  sign: 13,
  signed: 14,
  success: 6,
} as const

/** How ssh says which host a session is with (OpenSSH's PROTOCOL.agent). */
export const bindExtension = 'session-bind@openssh.com'

/** Bytes; OpenSSH's agent takes as many. Those moat takes are far shorter. */
export const mostMessage = 256 * 1024

export const failure = writeMessage(messages.failure)
export const extensionFailure = writeMessage(messages.extensionFailure)
export const success = writeMessage(messages.success)

export function identities(all: readonly { blob: string; comment: string }[]): Buffer {
  const each = all.flatMap(({ blob, comment }) => [writeString(Buffer.from(blob, 'base64')), writeString(comment)])
  return writeMessage(messages.identities, writeNumber(all.length), ...each)
}

/** Splits what comes into messages. */
export class MessageReader {
  #bytes: Buffer = Buffer.alloc(0)
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** Messages that are whole by now, without their lengths. Throws for one that is too long. */
  add(piece: Buffer): Buffer[] {
    this.#bytes = Buffer.concat([this.#bytes, piece])
    const whole: Buffer[] = []
    while (this.#bytes.length >= 4) {
      const length = this.#bytes.readUInt32BE()
      if (length === 0 || length > this.#most) throw new RangeError('a message of that length is none')
      if (this.#bytes.length < 4 + length) break
      whole.push(this.#bytes.subarray(4, 4 + length))
      this.#bytes = this.#bytes.subarray(4 + length)
    }
    return whole
  }
}

export interface Bind {
  hostKey: Buffer
  isForwarded: boolean
  sessionId: Buffer
  signature: Buffer
}

/** Throws for what is none. */
export function readBind(reader: WireReader): Bind {
  const [hostKey, sessionId, signature] = [reader.string(), reader.string(), reader.string()]
  const isForwarded = reader.boolean()
  reader.end()
  return { hostKey, isForwarded, sessionId, signature }
}

export function writeBind({ hostKey, isForwarded, sessionId, signature }: Bind): Buffer {
  const parts = [bindExtension, hostKey, sessionId, signature].map(writeString)
  return writeMessage(messages.extension, ...parts, Buffer.from([isForwarded ? 1 : 0]))
}
