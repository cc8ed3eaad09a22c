// Owns that a command in a container does not outlive who called for it: signals are passed on, and a reader that goes away
// is one. The engine would let it run on.
import { constants } from 'node:os'
import { Errors } from '@oclif/core'
import type { ExecSession, SignalName } from '../engine/sessions.js'

const passedOn = ['HUP', 'INT', 'TERM'] as const
/** How long a command may take to end after what is no question. Milliseconds. */
const grace = 10_000
/** The same for one that may not have noticed that nobody reads it any more. */
const pipeGrace = 1_000
/** How long the end of a command that could not be told may take to be heard of: most likely it has just ended. */
const untoldGrace = 1_000

export class ExecEnd {
  readonly #handlers = passedOn.map((name) => [`SIG${name}`, () => this.#interrupt(name)] as const)
  #interrupts = 0
  readonly #note: (line: string) => void
  readonly #session: Pick<ExecSession, 'signal'>
  readonly #timers: NodeJS.Timeout[] = []
  readonly #untold = Promise.withResolvers<never>()

  constructor(session: Pick<ExecSession, 'signal'>, note: (line: string) => void) {
    this.#session = session
    this.#note = note
    this.#untold.promise.catch(() => {})
    for (const [signal, handler] of this.#handlers) process.on(signal, handler)
  }

  /** Rejects, with the exit code of a signal, when the command could not be told of it. */
  get untold(): Promise<never> {
    return this.#untold.promise
  }

  /** A program that writes to nobody gets SIGPIPE; one that does not care is ended as by a caller. */
  readerGone(): void {
    this.#send('PIPE')
    this.#after(pipeGrace, () => this.#send('TERM'))
    this.#after(pipeGrace + grace, () => this.#send('KILL'))
  }

  release(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler)
    for (const timer of this.#timers) clearTimeout(timer)
  }

  /** The second time it is no question any more. */
  #interrupt(name: (typeof passedOn)[number]): void {
    this.#interrupts += 1
    this.#send(this.#interrupts === 1 ? name : 'KILL')
    // Ctrl+C is the command's to answer, and a person is there to press it again.
    if (name !== 'INT') this.#after(grace, () => this.#send('KILL'))
  }

  #send(name: SignalName): void {
    this.#session.signal(name).catch(() => {
      this.#after(untoldGrace, () => {
        this.#note('The command could not be told to end, and may go on in the container.')
        this.#untold.reject(new Errors.ExitError(128 + constants.signals[`SIG${name}`]))
      })
    })
  }

  #after(time: number, action: () => void): void {
    this.#timers.push(setTimeout(action, time))
  }
}
