// Owns how routes may change headers.
import { z } from 'zod'
import { responseMatcher } from './matchers.js'
import { flag, headerName, type NameProblem, named, names, text, texts } from './schema-parts.js'

const replacements = z.array(
  z.strictObject({
    replace: z.exactOptional(text),
    search: z.exactOptional(text),
    search_regexp: z.exactOptional(text),
  }),
)

function operations(problemOf: NameProblem) {
  return {
    add: z.exactOptional(named(problemOf, texts)),
    delete: z.exactOptional(names(problemOf)),
    replace: z.exactOptional(named(problemOf, replacements)),
    set: z.exactOptional(named(problemOf, texts)),
  }
}

/** Operations on requests, whose headers `problemOf` judges, and on answers. */
export function headerFields(problemOf: NameProblem) {
  return {
    request: z.exactOptional(z.strictObject(operations(problemOf))),
    response: z.exactOptional(
      z.strictObject({
        ...operations(headerName),
        deferred: z.exactOptional(flag),
        require: z.exactOptional(responseMatcher),
      }),
    ),
  }
}

export function headerOperations(problemOf: NameProblem) {
  return z.strictObject(headerFields(problemOf))
}
