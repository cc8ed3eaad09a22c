// Owns where a new grant's value comes from: what the user said, else a variable, else the service's own tool, else the user types it.
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError } from '../errors.js'
import type { GrantSource } from './grant.js'
import type { GrantProvider } from './provider.js'
import { parseReference, parseValue } from './read-value.js'
import { runForValue } from './run-for-value.js'

export interface SourceWishes {
  command?: string | undefined
  env?: string | undefined
  /** `op://…`, `file://…` or `env://…` */
  from?: string | undefined
  /** What came on stdin, when the user said so. */
  input?: string | undefined
}

export interface SourceOptions {
  /** The command that makes this grant, without where its value is. */
  again?: string
  env?: NodeJS.ProcessEnv
  /** Has the user type it; undefined without a terminal. */
  type: (question: string) => Promise<string | undefined>
}

export interface FoundSource {
  source: GrantSource
  /** Where it was found, in words; absent when the user said it. */
  where?: string
}

/** Throws USAGE for what is no reference, and GRANT_MISSING when there is no value anywhere. */
export async function findSource(
  name: string,
  { title, value = {} }: GrantProvider,
  wishes: SourceWishes,
  { again = `moat grant ${shellQuote(name)}`, env = process.env, type }: SourceOptions,
): Promise<FoundSource> {
  const wished = wishedSource(wishes, name, again, value.fields)
  if (wished) return { source: wished }
  const variable = value.env?.find((one) => env[one])
  if (variable !== undefined) return { source: stored(env[variable] ?? '', name, value.fields), where: variable }
  if (value.command && isCommand(value.command)) {
    const text = await runForValue(value.command, { env, timeout: 10_000 }).catch(() => undefined)
    const where = value.command.join(' ')
    // What has an end is asked for again at each use.
    if (text?.trim() && value.fields)
      return { source: { command: value.command.map(shellQuote).join(' '), kind: 'command' }, where }
    if (text?.trim()) return { source: stored(text, name), where }
  }
  const typed = value.fields ? undefined : await type(`Value for ${title} (it is not shown): `)
  if (typed) return { source: stored(typed, name, value.fields) }
  throw missing(again, title, value)
}

function wishedSource(
  { command, env, from, input }: SourceWishes,
  name: string,
  again: string,
  fields: string[] | undefined,
): GrantSource | undefined {
  if (command !== undefined) return { command, kind: 'command' }
  if (env !== undefined) {
    const source = parseReference(`env://${env}`)
    if (source) return source
    throw usage('--env takes the name of a variable, never its value.', [`${again} --env MY_TOKEN`])
  }
  if (from !== undefined) {
    const source = parseReference(from)
    if (source) return source
    // Not shown: somebody may have put the value itself there.
    throw usage('--from takes op://vault/item/field, file:///path or env://VAR, never the value itself.', [
      `${again} --from op://vault/item/field`,
      `${again} --stdin < file`,
    ])
  }
  return input === undefined ? undefined : stored(input, name, fields)
}

function stored(text: string, name: string, fields?: string[]): GrantSource {
  return { fields: { ...parseValue(text, `the grant ${name}`, fields).secret }, kind: 'value' }
}

function isCommand(words: readonly string[]): words is [string, ...string[]] {
  return words.length > 0
}

function missing(
  again: string,
  title: string,
  { command, env = [], hint, url }: NonNullable<GrantProvider['value']>,
): MoatError {
  const looked = [...env, ...(command ? [command.join(' ')] : [])]
  const places = looked.length > 0 ? ` There is none in ${looked.join(', ')}.` : ''
  return new MoatError(
    'GRANT_MISSING',
    `No value for ${title} was given.${places}${hint === undefined ? '' : ` ${hint}`}`,
    {
      exit: exitCodes.usage,
      suggestions: [
        ...(url === undefined ? [] : [`make one at ${url}`]),
        `${again} --stdin < file`,
        `${again} --command '…'`,
      ],
    },
  )
}

function usage(message: string, suggestions: string[]): MoatError {
  return new MoatError('USAGE', message, { exit: exitCodes.usage, suggestions })
}
