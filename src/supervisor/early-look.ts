// Owns what the supervisor has been asked before the command was loaded that shows it: see ask-early.ts.
import type { EarlyLook } from './ask-early.js'

let early: EarlyLook | undefined

export function keepEarlyLook(asked: EarlyLook | undefined): void {
  early = asked
}

/** The answer, for the first who would ask the same; undefined for everybody else. Rejects where there is none. */
export async function takeEarlyLook(socketPath: string, path: string): Promise<unknown> {
  if (early?.path !== path || early.socketPath !== socketPath) return undefined
  const { answer } = early
  early = undefined
  const text = await answer
  const body = text.indexOf('\r\n\r\n')
  if (body < 0 || !/^HTTP\/1\.\d 200 /.test(text)) throw new Error('not the answer that was asked for')
  return JSON.parse(text.slice(body))
}
