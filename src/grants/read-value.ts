// Owns getting a value from where a grant says it is. What is read appears in no error: only what kept it from being read does.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { systemReason } from '../config/read-config.js'
import { exitCodes, MoatError } from '../errors.js'
import { keepOutOfDumps } from '../processes/keep-out-of-dumps.js'
import type { Grant, GrantSource } from './grant.js'
import { formatGrant, type Secret } from './injection.js'
import { runForValue } from './run-for-value.js'
import { readSecretFile } from './secret-file.js'

export interface ReadValue {
  /** Milliseconds since 1970; absent when the value does not say. */
  expiresAt?: number
  secret: Secret
}

export interface ReadOptions {
  env?: NodeJS.ProcessEnv
  /** Milliseconds. */
  timeout?: number
  /** As for runForValue. */
  unheard?: boolean
}

/** Rejects with GRANT_VALUE. */
export async function readValue(
  { name, profile, provider, source }: Grant,
  options: ReadOptions = {},
): Promise<ReadValue> {
  const subject = `the grant ${formatGrant({ name, profile })}`
  const text = await textOf(source, subject, options)
  if (typeof text === 'string' && text.trim() === '' && (source.kind === 'command' || source.kind === 'op'))
    throw noValue(subject, 'its command printed nothing')
  return parseValue(text, subject, provider.value?.fields)
}

/** What `env://VAR`, `file://path` and `op://…` stand for. */
export function parseReference(text: string): Exclude<GrantSource, { kind: 'command' | 'ssh' | 'value' }> | undefined {
  const [, scheme, rest = ''] = /^(env|file|op):\/\/(.+)$/s.exec(text) ?? []
  if (scheme === 'env') return /^[A-Za-z_]\w*$/.test(rest) ? { kind: 'env', variable: rest } : undefined
  // Whoever reads it may be somewhere else.
  if (scheme === 'file' && !/^(\/|~\/)/.test(rest)) return undefined
  if (scheme === 'file') return { kind: 'file', path: rest.startsWith('~/') ? join(homedir(), rest.slice(2)) : rest }
  return scheme === 'op' ? { kind: 'op', reference: text } : undefined
}

/** The text of a reference, as it is. Rejects with GRANT_VALUE, about `subject`. */
export async function textOf(
  source: GrantSource,
  subject: string,
  { env = process.env, timeout, unheard }: ReadOptions = {},
): Promise<string | Secret> {
  if (source.kind === 'value') return source.fields
  if (source.kind === 'ssh') throw noValue(subject, 'ssh has none')
  if (source.kind === 'env') {
    const value = env[source.variable]
    if (value) return value
    throw noValue(subject, `${source.variable} is not set here`, [`export ${source.variable}=…`])
  }
  const run = (argv: [string, ...string[]]) =>
    runForValue(argv, { env, unheard, ...(timeout !== undefined && { timeout }) }).catch((error: unknown) => {
      throw noValue(subject, error instanceof Error ? error.message : String(error), [], error)
    })
  if (source.kind === 'command') return run(['sh', '-c', source.command])
  if (source.kind === 'op') return run(['op', 'read', '--no-newline', source.reference])
  return readSecretFile(source.path).catch((error: unknown) => {
    throw noValue(subject, `${source.path} cannot be read (${systemReason(error)})`, [], error)
  })
}

/** A value as it was typed or printed: a token, or JSON with one in it and the time at which it ends. */
export function parseValue(value: string | Secret, subject: string, fields: readonly string[] = ['token']): ReadValue {
  keepOutOfDumps()
  if (typeof value === 'string' && value.trim() === '') throw noValue(subject, 'it is empty')
  const parsed = typeof value === 'string' ? parseText(value.trim()) : { secret: value }
  const missing = fields.filter((field) => !Object.hasOwn(parsed.secret, field) || !parsed.secret[field])
  if (missing.length > 0) throw noValue(subject, `there is no ${missing.join(' and no ')} in it`)
  for (const text of Object.values(parsed.secret)) {
    // What else a header may not have would end it, and begin one of its own.
    if (!/^[\x20-\x7e]+$/.test(text))
      throw noValue(subject, 'it has several lines, or characters that no header may have')
  }
  return parsed
}

function parseText(text: string): ReadValue {
  const json = text.startsWith('{') ? parseJson(text) : undefined
  if (!json) return { secret: { token: text } }
  const secret = Object.fromEntries(
    Object.entries(json).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== ''),
  )
  const token = secret.token ?? secret.access_token ?? secret.accessToken
  const expiresAt = expiryOf(json)
  return {
    ...(expiresAt !== undefined && { expiresAt }),
    secret: { ...secret, ...(token !== undefined && { token }) },
  }
}

function expiryOf(json: Record<string, unknown>): number | undefined {
  const at = json.Expiration ?? json.expiration ?? json.expires_at ?? json.expiresAt ?? json.expiry
  if (typeof at === 'number') return at < 1e11 ? at * 1000 : at
  const date = typeof at === 'string' ? Date.parse(at) : Number.NaN
  if (!Number.isNaN(date)) return date
  return typeof json.expires_in === 'number' ? Date.now() + json.expires_in * 1000 : undefined
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}

export function noValue(subject: string, reason: string, suggestions: string[] = [], cause?: unknown): MoatError {
  return new MoatError('GRANT_VALUE', `There is no value for ${subject}: ${reason}.`, {
    cause,
    exit: exitCodes.usage,
    suggestions,
  })
}
