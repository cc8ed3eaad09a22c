// Owns one conversation of an agent's ssh with moat: which host it says its session is with, which keys it is shown, what is signed.

import type { SshAccess, SshKey } from './access.js'
import {
  type Bind,
  bindExtension,
  extensionFailure,
  failure,
  identities,
  messages,
  readBind,
  success,
} from './agent-messages.js'
import { type BoundSession, judgeSignature, type SignatureRequest } from './judge-signature.js'
import { isSignedBy } from './public-key.js'
import { WireReader, writeMessage, writeString } from './wire.js'

export interface SignatureTask extends SignatureRequest {
  access: SshAccess
  /** Absent for what is not part of a session. */
  bind?: Bind
  key: SshKey
  purpose: 'commit' | 'login'
}

export interface SessionOptions {
  /** What the grants of the agent allow now: asked each time, so that what is revoked is so at once. */
  accesses(): Promise<readonly SshAccess[]>
  /** Why nothing was signed. */
  refused(reason: string): void
  /** Rejects when it cannot be had. */
  sign(task: SignatureTask): Promise<Buffer>
}

/** Identifiers of sessions are hashes. Bytes. */
const longestId = 128

export class AgentSession {
  #bind: Bind | undefined
  /** Once something was amiss with a session, nothing is signed in this conversation. */
  #broken = false
  readonly #options: SessionOptions

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** What is answered to a message. Never rejects: whatever is not understood or not allowed fails. */
  async answer(message: Buffer): Promise<Buffer> {
    const reader = new WireReader(message)
    try {
      switch (reader.byte()) {
        case messages.listIdentities:
          reader.end()
          return await this.#list()
        case messages.sign:
          return await this.#sign(reader)
        case messages.extension:
          return await this.#extend(reader)
        // To add and remove keys, to lock: not for containers.
        default:
          return failure
      }
    } catch {
      return failure
    }
  }

  get #session(): BoundSession | undefined {
    return this.#bind && { hostKey: this.#bind.hostKey.toString('base64'), id: this.#bind.sessionId }
  }

  /** Those for its host; of all hosts of its grants while it has not said which. */
  async #list(): Promise<Buffer> {
    const hostKey = this.#session?.hostKey
    const all = this.#broken ? [] : await this.#options.accesses()
    const named = new Map<string, string>()
    for (const { host, hostKeys, keys } of all) {
      if (hostKey !== undefined && !hostKeys.includes(hostKey)) continue
      for (const { blob } of keys) named.set(blob, named.has(blob) ? `${named.get(blob)}, ${host}` : host)
    }
    return identities([...named].map(([blob, hosts]) => ({ blob, comment: `for ${hosts}` })))
  }

  async #sign(reader: WireReader): Promise<Buffer> {
    const request = { blob: reader.string(), data: reader.string(), flags: reader.number() }
    reader.end()
    if (this.#broken) return this.#refuse('what it said of its session was not so')
    const verdict = judgeSignature(request, await this.#options.accesses(), this.#session)
    if ('refused' in verdict) return this.#refuse(verdict.refused)
    const isLogin = verdict.purpose === 'login'
    const signature = await this.#options
      .sign({ ...request, ...verdict, ...(isLogin && this.#bind && { bind: this.#bind }) })
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
    if (typeof signature === 'string') return this.#refuse(signature)
    // The user may have been asked, and have revoked the grant instead.
    const now = judgeSignature(request, await this.#options.accesses(), this.#session)
    if ('refused' in now) return this.#refuse(now.refused)
    return writeMessage(messages.signed, writeString(signature))
  }

  async #extend(reader: WireReader): Promise<Buffer> {
    if (reader.text() !== bindExtension) return extensionFailure
    const problem = await this.#bindTo(readBind(reader)).catch(() => 'it is malformed')
    if (problem === undefined) return success
    this.#broken = true
    return this.#refuse(problem)
  }

  /** Why a session is not believed; undefined when it is. */
  async #bindTo(bind: Bind): Promise<string | undefined> {
    const { hostKey, isForwarded, sessionId, signature } = bind
    if (isForwarded) return 'it forwards its agent to another machine'
    if (sessionId.length === 0 || sessionId.length > longestId) return 'that is no session'
    if (!isSignedBy(hostKey, sessionId, signature)) return 'the host has not begun that session'
    const known = this.#bind
    if (known) {
      const isSame = known.hostKey.equals(hostKey) && known.sessionId.equals(sessionId)
      return isSame ? undefined : 'it has another session already'
    }
    const text = hostKey.toString('base64')
    const accesses = await this.#options.accesses()
    if (!accesses.some(({ hostKeys }) => hostKeys.includes(text)))
      return 'its host is not one of a grant, or has another key'
    this.#bind = bind
    return undefined
  }

  #refuse(reason: string): Buffer {
    this.#options.refused(reason)
    return failure
  }
}
