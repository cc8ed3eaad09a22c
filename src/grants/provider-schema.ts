// Owns what a provider of grants must be, whoever describes it, and what is said when it is not. Apart because it loads zod.
import { z } from 'zod'
import { isEnvName } from '../config/env-flag.js'
import { collectionError, leaf, portNumber, text } from '../config/schema-parts.js'
import { isOfConnection } from '../routing/connection-headers.js'
import type { GrantProvider } from './provider.js'
import { placeOfUrl } from './url-place.js'

const isText = (value: unknown): value is string => typeof value === 'string'
const hostName = /^(?=.{1,253}$)(?!\d+(\.\d+)*$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/

/** A host on the internet, without a pattern: one name that many can get would give the value to many. */
export function isGrantHost(value: unknown): value is string {
  return isText(value) && hostName.test(value) && !/(^|\.)localhost$/.test(value)
}

export function isHeaderName(value: unknown): value is string {
  return (
    isText(value) &&
    /^[A-Za-z0-9!#$%&'*+.^`|~-]+$/.test(value) &&
    !isOfConnection(value) &&
    value.toLowerCase() !== 'host'
  )
}

const host = leaf<string>(
  'the name of a host, such as api.example.com',
  (value) => value === '{host}' || isGrantHost(value),
)
const plainHost = leaf<string>('the name of a host, such as api.example.com', isGrantHost)
const allowedHost = leaf<string>('the name of a host, or *.example.com', (value) => {
  return value === '{host}' || isGrantHost(isText(value) ? value.replace(/^\*\./, '') : value)
})
const header = leaf<string>('the name of a header that is not of the connection', isHeaderName)
/** What it is made of must be there, and nothing that ends a header. */
const template = leaf<string>('printable text with {token} in it', (value) => {
  return isText(value) && /^[\x20-\x7e]+$/.test(value) && /\{\w+\}/.test(value)
})
const path = leaf<string>('a path that begins with /', (value) => isText(value) && /^\/[\x21-\x7e]*$/.test(value))
const printable = leaf<string>('printable text', (value) => isText(value) && /^[\x20-\x7e]+$/.test(value))
const list = <T extends z.ZodType>(item: T) => z.array(item, { error: collectionError('a list') })

function mapping<T extends z.ZodType>(value: T, isKey: (key: string) => boolean, expected: string) {
  return z.record(z.string(), value, { error: collectionError('a mapping') }).superRefine((all, context) => {
    for (const key of Object.keys(all)) {
      if (!isKey(key))
        context.addIssue({
          code: 'custom',
          message: `${JSON.stringify(key)} is not ${expected}`,
          params: { at: 'key' },
          path: [key],
        })
    }
  })
}

const rule = z
  .strictObject(
    {
      basic: printable.optional(),
      headers: mapping(template, isHeaderName, 'the name of a header that a grant can set').optional(),
      hosts: list(host),
      paths: list(path).optional(),
      ports: list(portNumber()).optional(),
      query: mapping(template, (key) => /^[\w.-]+$/.test(key), 'the name of a query parameter').optional(),
      remove: list(header).optional(),
      removeQuery: list(printable).optional(),
    },
    { error: collectionError('a mapping such as {hosts: [api.example.com], headers: {X-Api-Key: "{token}"}}') },
  )
  .superRefine(({ basic, headers, hosts, query }, context) => {
    const add = (message: string) => context.addIssue({ code: 'custom', message })
    if (Array.isArray(hosts) && hosts.length === 0) add('has no hosts')
    if (basic === undefined && !headers && !query) add('sets nothing: give it headers, basic or query')
    const sets = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'authorization')
    if (basic !== undefined && sets) add('sets Authorization twice, by basic and by headers')
  })

const container = z.strictObject(
  {
    env: mapping(text('empty allowed'), isEnvName, 'the name of a variable').optional(),
    files: mapping(text('empty allowed'), (key) => /^[\w-][\w.-]*$/.test(key), 'the name of a file').optional(),
    git: mapping(printable, (key) => /^[a-z][\w-]*\.(.+\.)?[a-z][\w-]*$/i.test(key), 'a setting of git').optional(),
  },
  { error: collectionError('a mapping such as {env: {API_KEY: "{placeholder:20}"}}') },
)

const value = z.strictObject(
  {
    command: list(printable).optional(),
    env: list(leaf<string>('the name of a variable', (one) => isText(one) && isEnvName(one))).optional(),
    fields: list(printable).optional(),
    hint: printable.optional(),
    url: printable.optional(),
  },
  { error: collectionError('a mapping such as {env: [API_KEY]}') },
)

const check = z.strictObject(
  {
    headers: mapping(printable, isHeaderName, 'the name of a header').optional(),
    refused: list(
      leaf<number>('a status', (one) => Number.isInteger(one) && Number(one) >= 400 && Number(one) < 600),
    ).optional(),
    url: leaf<string>('an https URL', (one) => isText(one) && placeOfUrl(one) !== undefined),
    who: printable.optional(),
  },
  { error: collectionError('a mapping such as {url: https://api.example.com/me}') },
)

/** One provider, without its name. */
export const providerSchema = z
  .strictObject(
    {
      allow: list(allowedHost).optional(),
      check: check.optional(),
      container: container.optional(),
      host: plainHost.optional(),
      inject: list(rule),
      reveals: leaf<boolean>('true or false', (one) => typeof one === 'boolean').optional(),
      title: printable,
      value: value.optional(),
    },
    { error: collectionError('a mapping such as {title: My API, inject: […]}') },
  )
  .superRefine(({ check: asked, host: own, inject, reveals }, context) => {
    const add = (message: string, at: PropertyKey[]) => context.addIssue({ code: 'custom', message, path: at })
    if (!Array.isArray(inject)) return
    if (inject.length === 0 && !reveals) add('is empty: a provider says where its value goes', ['inject'])
    const hosts = inject.flatMap((one) => one?.hosts ?? [])
    if (hosts.includes('{host}') && own === undefined) add('has {host}, and there is no "host"', ['inject'])
    const place = isText(asked?.url) ? placeOfUrl(asked.url) : undefined
    // Or the check would be what takes the value elsewhere.
    if (place && !hosts.includes(place.host)) add('must be at one of the hosts under "inject"', ['check', 'url'])
  })

export type ParsedProvider = z.output<typeof providerSchema>

export const providerKeys = {
  '': Object.keys(providerSchema.shape),
  check: Object.keys(check.shape),
  container: Object.keys(container.shape),
  inject: Object.keys(rule.shape),
  value: Object.keys(value.shape),
}

export function namedProvider(name: string, parsed: ParsedProvider): GrantProvider {
  return { ...parsed, name } as GrantProvider
}
