// Owns which of Caddy's handlers routes may use, and with which fields: a list of what is allowed, so that what a plugin of
// Caddy's or a later version of it adds is refused until somebody has looked at it.
import { z } from 'zod'
import { headerFields } from './header-operations.js'
import { matcherSets, responseMatcher } from './matchers.js'
import { reverseProxy } from './reverse-proxy.js'
import { rewriteFields } from './rewrite.js'
import {
  checkNames,
  duration,
  flag,
  headerName,
  named,
  names,
  ownName,
  requestName,
  size,
  status,
  text,
  texts,
} from './schema-parts.js'

const routes: z.ZodType = z.lazy(() => z.array(route))

const responses = z.array(
  z.strictObject({
    match: z.exactOptional(responseMatcher),
    routes: z.exactOptional(routes),
    status_code: z.exactOptional(status),
  }),
)

/** Hashes that are checked in well under a second: each request with a password costs one. */
const bcrypt = /^\$2[aby]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/

const authentication = z.strictObject({
  handler: z.literal('authentication'),
  providers: z.strictObject({
    http_basic: z.strictObject({
      accounts: z.array(
        z.strictObject({ password: text.regex(bcrypt, 'is not a bcrypt hash of a cost up to 14'), username: text }),
      ),
      hash: z.strictObject({ algorithm: z.literal('bcrypt') }),
      hash_cache: z.exactOptional(z.strictObject({})),
      realm: z.exactOptional(text),
    }),
  }),
})

const encode = z.strictObject({
  encodings: z.strictObject({
    gzip: z.exactOptional(z.strictObject({ level: z.exactOptional(z.int().min(1).max(9)) })),
    zstd: z.exactOptional(
      z.strictObject({
        checksum: z.exactOptional(flag),
        level: z.exactOptional(z.enum(['best', 'better', 'default', 'fastest'])),
      }),
    ),
  }),
  handler: z.literal('encode'),
  match: z.exactOptional(responseMatcher),
  minimum_length: z.exactOptional(size),
  prefer: z.exactOptional(texts),
})

/** One output for each destination, as text or another plain value. */
const values = z.array(z.union([text, z.number(), flag, z.null()]))

const map = z.strictObject({
  defaults: z.exactOptional(texts),
  destinations: z.array(text.regex(/^\{x_\w+\}$/, 'must be {x_NAME}: other names are those of Caddy and moat')),
  handler: z.literal('map'),
  mappings: z.exactOptional(
    z.array(z.strictObject({ input: z.exactOptional(text), input_regexp: z.exactOptional(text), outputs: values })),
  ),
  source: text,
})

const staticResponse = z.strictObject({
  abort: z.exactOptional(flag),
  body: z.exactOptional(text),
  close: z.exactOptional(flag),
  handler: z.literal('static_response'),
  headers: z.exactOptional(named(headerName, texts)),
  status_code: z.exactOptional(status),
})

const subroute = z.strictObject({
  errors: z.exactOptional(z.strictObject({ routes: z.exactOptional(routes) })),
  handler: z.literal('subroute'),
  routes: z.exactOptional(routes),
})

const vars = z
  .object({ handler: z.literal('vars') })
  .catchall(z.union([text, z.number(), flag]))
  .superRefine((all, context) =>
    checkNames(
      Object.keys(all).filter((name) => name !== 'handler'),
      ownName,
      context,
    ),
  )

const handlers = {
  authentication,
  copy_response: z.strictObject({ handler: z.literal('copy_response'), status_code: z.exactOptional(status) }),
  copy_response_headers: z.strictObject({
    exclude: z.exactOptional(names(headerName)),
    handler: z.literal('copy_response_headers'),
    include: z.exactOptional(names(headerName)),
  }),
  encode,
  error: z.strictObject({
    error: z.exactOptional(text),
    handler: z.literal('error'),
    status_code: z.exactOptional(status),
  }),
  headers: z.strictObject({ handler: z.literal('headers'), ...headerFields(requestName) }),
  intercept: z.strictObject({ handle_response: z.exactOptional(responses), handler: z.literal('intercept') }),
  map,
  request_body: z.strictObject({
    handler: z.literal('request_body'),
    max_size: z.exactOptional(size),
    read_timeout: z.exactOptional(duration),
    set: z.exactOptional(text),
    write_timeout: z.exactOptional(duration),
  }),
  reverse_proxy: reverseProxy(responses),
  rewrite: z.strictObject({ handler: z.literal('rewrite'), ...rewriteFields }),
  static_response: staticResponse,
  subroute,
  vars,
}

/** Their names, as the documentation lists them. */
export const handlerNames: readonly string[] = Object.keys(handlers)

const { authentication: first, ...others } = handlers

export const route = z.strictObject({
  group: z.exactOptional(text.regex(/^x_\w+$/, 'must begin with x_: other names are those of moat')),
  handle: z.array(z.discriminatedUnion('handler', [first, ...Object.values(others)])),
  match: z.exactOptional(matcherSets),
  terminal: z.exactOptional(flag),
})
