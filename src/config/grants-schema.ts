// Owns what moat.yaml may say of credentials: `grants`, used without being seen, and `secrets`, which the container sees.
import { z } from 'zod'
import { isGrantName } from '../routing/grant-name.js'
import { isEnvName } from './env-flag.js'
import { needed } from './needed.js'
import { collectionError, leaf } from './schema-parts.js'

const reference = /^(env:\/\/[A-Za-z_]\w*|file:\/\/(\/|~\/).+|op:\/\/.+)$/

export const grants = needed(() =>
  z
    .array(
      leaf<string>(
        'the name of a grant, such as github or ssh:github.com',
        (value) => typeof value === 'string' && isGrantName(value),
      ),
      { error: collectionError('a list such as [github, npm]') },
    )
    .superRefine((all, context) => {
      for (const [index, name] of all.entries()) {
        if (all.indexOf(name) < index) {
          context.addIssue({ code: 'custom', message: `is ${JSON.stringify(name)} a second time`, path: [index] })
        }
      }
    }),
)

export const secrets = needed(() =>
  z
    .record(
      z.string(),
      // Not shown: whoever writes the value itself here has made a mistake already.
      z.custom<string>((value) => typeof value === 'string' && reference.test(value), {
        abort: false,
        error: 'must be where the value is, op://vault/item/field, env://NAME or file:///path, not the value itself',
      }),
      { error: collectionError('a mapping such as {API_KEY: "op://vault/item/field"}') },
    )
    .superRefine((all, context) => {
      for (const key of Object.keys(all)) {
        const message = `${JSON.stringify(key)} is not a variable name: use letters, digits and underscores, and no digit first`
        if (!isEnvName(key)) context.addIssue({ code: 'custom', message, params: { at: 'key' }, path: [key] })
      }
    }),
)

/** A variable is set in one way. */
export function refuseBoth(
  { env, secrets: all }: { env?: Record<string, unknown> | undefined; secrets?: Record<string, unknown> | undefined },
  context: z.RefinementCtx,
): void {
  for (const key of Object.keys(all ?? {})) {
    const message = `${JSON.stringify(key)} is in "env" already`
    if (env && Object.hasOwn(env, key))
      context.addIssue({ code: 'custom', message, params: { at: 'key' }, path: ['secrets', key] })
  }
}
