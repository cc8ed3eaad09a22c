// Owns `moat logs --requests`: what goes through the proxy to an agent, line by line, while somebody watches.
import { MoatError } from '../errors.js'
import type { Agent } from '../routing/agent.js'
import { recordRequests } from '../supervisor/control-client.js'
import { findProxy, type ProxyOptions } from '../supervisor/proxy.js'
import type { RecordedRequest } from '../supervisor/request-recorder.js'
import { Interrupts } from './interrupts.js'

export interface WatchRequestsOptions {
  /** Resolves when the agent has ended. */
  agentEnd: Promise<unknown>
  /** Print objects, one a line. */
  json: boolean
  note: (line: string) => void
  proxy: ProxyOptions
}

/** Resolves after Ctrl+C, or when the agent or the proxy has ended. */
export async function watchRequests({ name, runId }: Agent, options: WatchRequestsOptions): Promise<void> {
  const { agentEnd, json, note, proxy } = options
  const interrupts = new Interrupts()
  try {
    const running = await findProxy(proxy)
    const show = (request: RecordedRequest) =>
      process.stdout.write(`${json ? JSON.stringify(request) : formatRequest(request)}\n`)
    const stream = running && (await recordRequests(proxy.paths.controlSocket, { runId }, show))
    if (!stream) {
      throw new MoatError('SUPERVISOR_FAILED', 'The routing proxy is not running, so no requests go through it.', {
        suggestions: ['moat proxy start'],
      })
    }
    interrupts.onInterrupt(() => stream.release())
    process.stdout.once('error', () => stream.release())
    agentEnd.then(
      () => stream.release(),
      () => stream.release(),
    )
    note(`Recording the requests to ${name}. Ctrl+C stops.`)
    if ((await stream.ended) === 'stopped') return
    throw new MoatError('SUPERVISOR_FAILED', "The proxy's supervisor ended unexpectedly.", {
      suggestions: [`moat logs --requests ${name}`],
    })
  } finally {
    interrupts.release()
  }
}

/** `2026-11-24T12:00:00.000Z  200  GET     https://web.dark-mode.localhost:8080/  12.3 ms` */
export function formatRequest({ duration, method, status, time, url }: RecordedRequest): string {
  return `${time}  ${status}  ${method.padEnd(6)}  ${url}  ${duration} ms`
}
