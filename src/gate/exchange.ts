// Owns one thing that an agent asks for, from the question to its line in the log: who asks, where to, what was decided.
import type { Socket } from 'node:net'
import { decide } from '../egress/decide.js'
import type { NetworkLogEntry, Verdict } from '../egress/policy.js'
import type { Dialler } from './dial.js'
import type { GatedAgent } from './gate-table.js'
import { type Refusal, refusal } from './refusal.js'
import type { Target } from './target.js'

/** What the handling of one agent's connections needs. */
export interface DoorContext {
  /** As the policy is now. */
  agent(): GatedAgent
  dialler: Dialler
  /** The socket of the proxy that opens tunnels of this agent. */
  interceptSocket: string
  log(entry: NetworkLogEntry): void
}

/** A text in the log is cut here: paths are as long as clients like. */
const longestText = 1_024

export class Exchange {
  readonly #agent: GatedAgent
  readonly #context: DoorContext
  readonly #startedAt = performance.now()
  readonly #time = new Date().toISOString()
  #isOver = false
  readonly method: string | undefined
  readonly path: string | undefined
  readonly target: Target
  verdict: Verdict

  /** A request, or, without a path, a tunnel. */
  constructor(context: DoorContext, target: Target, request: { method?: string; path?: string } = {}) {
    this.#agent = context.agent()
    this.#context = context
    this.method = request.method
    this.path = request.path
    this.target = target
    this.verdict = decide(this.#agent.policy, { ...target, ...request })
  }

  get policy() {
    return this.#agent.policy
  }

  /** Another host than the one that was asked for, which the client has come to name. */
  judge(host: string): Verdict {
    return decide(this.policy, { ...this.target, host })
  }

  /** What to answer; written down. */
  refuse(reason = this.verdict.reason): Refusal {
    const verdict = { ...this.verdict, reason }
    this.#end({ allowed: false, reason })
    const { method = 'CONNECT', path, target } = this
    return refusal({ agent: this.#agent.name, method, path, target, verdict })
  }

  /** Writes down what was let through once it is over: what `socket`, to the host, has carried. */
  follow(socket: Socket): void {
    const end = () => this.#end({ allowed: true, reason: this.verdict.reason }, socket)
    if (socket.closed) end()
    else socket.once('close', end)
  }

  /** Writes down what was allowed and led nowhere. */
  fail(problem: string): void {
    this.#end({ allowed: true, reason: problem })
  }

  /** What was asked turns out to be several questions, each of which has its own line. */
  forget(): void {
    this.#isOver = true
  }

  #end({ allowed, reason }: { allowed: boolean; reason: string }, bytes?: { bytesRead: number; bytesWritten: number }) {
    if (this.#isOver) return
    this.#isOver = true
    const { method, path, target, verdict } = this
    this.#context.log({
      agent: this.#agent.name,
      bytesIn: bytes?.bytesRead ?? 0,
      bytesOut: bytes?.bytesWritten ?? 0,
      duration: Math.round(performance.now() - this.#startedAt),
      host: target.host,
      ...(method !== undefined && { method: method.slice(0, longestText) }),
      // What stands in a query is often a secret.
      ...(path !== undefined && { path: path.replace(/\?.*$/s, '').slice(0, longestText) }),
      port: target.port,
      reason,
      ...(verdict.rule !== undefined && { rule: verdict.rule }),
      runId: this.#agent.runId,
      time: this.#time,
      verdict: allowed ? 'allowed' : 'blocked',
    })
  }
}
