// Owns telling the supervisor that a host has refused a request of an agent: it may remember a value that is out of date.
import { request } from 'node:http'
import { questionHeaders, questionPaths } from '../egress/opening-words.js'
import type { NetworkLogEntry } from '../egress/policy.js'

/** Milliseconds. */
const patience = 5_000

/** Whether anybody listens does not matter: what is not known to be refused is asked for anew a little later. */
export function tellRefused(
  socketPath: string,
  {
    host,
    method = 'GET',
    path = '/',
    port,
    runId,
  }: Pick<NetworkLogEntry, 'host' | 'method' | 'path' | 'port' | 'runId'>,
): void {
  const headers = {
    [questionHeaders.host]: inAscii(host),
    [questionHeaders.method]: inAscii(method),
    [questionHeaders.path]: inAscii(path),
    [questionHeaders.port]: port,
    [questionHeaders.run]: runId,
  }
  const told = request({ headers, path: questionPaths.refused, socketPath, timeout: patience }, (answer) =>
    answer.resume(),
  )
  told.on('timeout', () => told.destroy())
  told.on('error', () => {})
  told.end()
}

/** Headers take no other letters, and Caddy's log has whatever was sent. */
function inAscii(text: string): string {
  return text.toWellFormed().replace(/[^!-~]/gu, encodeURIComponent)
}
