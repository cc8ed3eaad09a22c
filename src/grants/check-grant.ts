// Owns asking a service whether a value is good, with the same headers that requests of agents get, and nothing else.
import { type RequestOptions, request } from 'node:https'
import { exitCodes, MoatError, messageOf, systemCode } from '../errors.js'
import { type Grant, injectionsOf } from './grant.js'
import { grantAgain } from './grant-words.js'
import { formatGrant, inject, injectionFor, type Secret } from './injection.js'
import { placeOfUrl } from './url-place.js'

/** Milliseconds. */
const patience = 15_000
/** Characters of an answer that are read. */
const mostAnswer = 64 * 1024
const usuallyRefused = [401, 403]

export interface CheckOptions {
  /** For tests: how its host is found, and whom it trusts. */
  connection?: Pick<RequestOptions, 'ca' | 'lookup'>
  timeout?: number
}

export interface CheckResult {
  /** False for a provider that cannot be asked. */
  asked: boolean
  /** Whose value it is, in the service's words. */
  who?: string
}

/** Throws GRANT_REFUSED when the service says no, and when it cannot be asked. */
export async function checkGrant(grant: Grant, secret: Secret, options: CheckOptions = {}): Promise<CheckResult> {
  const { check } = grant.provider
  const place = check && placeOfUrl(check.url)
  if (!check || !place) return { asked: false }
  const injection = injectionFor(injectionsOf(grant), place)
  // Whatever the provider's author wrote: a value goes where grants put it.
  if (!injection) return { asked: false }
  const { headers, query } = inject(injection, secret)
  const url = new URL(check.url)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  const all = { accept: 'application/json', 'user-agent': 'moat', ...check.headers, ...headers }
  const name = formatGrant(grant)
  const { status, text } = await ask(url, all, options).catch((error: unknown) => {
    const reason = systemCode(error) ?? messageOf(error)
    throw refused(grant, `${url.host} could not be asked about the grant ${name}: ${reason}.`, error)
  })
  if ((check.refused ?? usuallyRefused).includes(status)) {
    throw refused(
      grant,
      `${grant.provider.title} refuses the value of the grant ${name}: ${url.host} answers ${status}.`,
    )
  }
  if (status < 200 || status > 299) {
    throw refused(
      grant,
      `${url.host} answers ${status} when it is asked about the grant ${name}, which says nothing about its value.`,
    )
  }
  const who = check.who === undefined ? undefined : fieldOf(text, check.who)
  return { asked: true, ...(who !== undefined && { who }) }
}

/** Redirects are answers like others: nothing is sent to where they lead. */
function ask(
  url: URL,
  headers: Record<string, string>,
  { connection = {}, timeout = patience }: CheckOptions,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { ...connection, agent: false, headers, signal: AbortSignal.timeout(timeout) },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (piece: string) => {
          if (text.length < mostAnswer) text += piece
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
        answer.on('error', reject)
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}

function fieldOf(text: string, field: string): string | undefined {
  try {
    const value: unknown = (JSON.parse(text) as Record<string, unknown>)[field]
    return typeof value === 'string' ? value.slice(0, 100) : undefined
  } catch {
    return undefined
  }
}

function refused(grant: Grant, message: string, cause?: unknown): MoatError {
  const suggestions = [`${grantAgain(grant)} --no-check`]
  return new MoatError('GRANT_REFUSED', message, { cause, exit: exitCodes.failure, suggestions })
}
