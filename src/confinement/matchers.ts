// Owns which of Caddy's matchers routes may use. Those that look at files, and expressions, which can, are not among them.
import { z } from 'zod'
import { headerName, type NameProblem, named, ownName, text, texts } from './schema-parts.js'

const pattern = z.strictObject({ name: z.exactOptional(text.regex(/^\w*$/, 'is not a plain word')), pattern: text })
const ranges = z.strictObject({ ranges: texts })
/** A variable of the endpoint's own, or a placeholder, which is looked at as every other is. */
const variable: NameProblem = (name) => (/^\{[^{}]+\}$/.test(name) ? undefined : ownName(name))

const matcherSet: z.ZodType = z.lazy(() =>
  z.strictObject({
    client_ip: z.exactOptional(ranges),
    header: z.exactOptional(named(headerName, texts.nullable())),
    header_regexp: z.exactOptional(named(headerName, pattern)),
    host: z.exactOptional(texts),
    method: z.exactOptional(texts),
    not: z.exactOptional(matcherSets),
    path: z.exactOptional(texts),
    path_regexp: z.exactOptional(pattern),
    protocol: z.exactOptional(text),
    query: z.exactOptional(z.record(text, texts)),
    remote_ip: z.exactOptional(ranges),
    // Not vars_regexp: before Caddy 2.11.2 it filled placeholders in what clients had sent.
    vars: z.exactOptional(named(variable, texts)),
  }),
)

export const matcherSets = z.array(matcherSet)

/** Of answers. */
export const responseMatcher = z.strictObject({
  headers: z.exactOptional(named(headerName, texts.nullable())),
  status_code: z.exactOptional(z.array(z.int().min(1).max(599))),
})
