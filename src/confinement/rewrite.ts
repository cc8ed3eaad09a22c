// Owns how routes may rewrite a request: its method, its path and its query. Neither leads to another host.
import { z } from 'zod'
import { count, text, texts } from './schema-parts.js'

const pair = z.array(z.strictObject({ key: z.exactOptional(text), val: z.exactOptional(text) }))

/**
 * Before 2.11.4 Caddy took a question mark that came out of a placeholder for the start of a query, and filled placeholders
 * in that once more: in what a client had sent.
 */
const plainPath = /^([^{?#]|\\\{)*([?#]|$)/

export const rewriteFields = {
  method: z.exactOptional(text.regex(/^(?!connect$)[a-z]+$/i, 'is not a method that requests are rewritten to')),
  path_regexp: z.exactOptional(z.array(z.strictObject({ find: text, replace: z.exactOptional(text) }))),
  query: z.exactOptional(
    z.strictObject({
      add: z.exactOptional(pair),
      delete: z.exactOptional(texts),
      rename: z.exactOptional(pair),
      replace: z.exactOptional(
        z.array(
          z.strictObject({
            key: z.exactOptional(text),
            replace: z.exactOptional(text),
            search: z.exactOptional(text),
            search_regexp: z.exactOptional(text),
          }),
        ),
      ),
      set: z.exactOptional(pair),
    }),
  ),
  strip_path_prefix: z.exactOptional(text),
  strip_path_suffix: z.exactOptional(text),
  uri: z.exactOptional(text.regex(plainPath, 'has a placeholder in its path; `path_regexp` puts text before a path')),
  uri_substring: z.exactOptional(
    z.array(
      z.strictObject({ find: z.exactOptional(text), limit: z.exactOptional(count), replace: z.exactOptional(text) }),
    ),
  ),
}
