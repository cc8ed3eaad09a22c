// Owns the schema of `mounts:` in moat.yaml: `source:target[:ro]`, or {source, target, mode, exclude}.
import { z } from 'zod'
import { type Mount, readMount, readWrittenMount } from './mount.js'
import { needed } from './needed.js'
import { collectionError, leaf, mustBe, text } from './schema-parts.js'

const written = needed(() =>
  z.strictObject({
    exclude: z.array(text(), { error: collectionError('a list such as [node_modules]') }).optional(),
    mode: leaf<'ro' | 'rw'>('ro or rw', (value) => value === 'ro' || value === 'rw').optional(),
    source: text(),
    target: text(),
  }),
)

/** Keys of a mount that is an object, for `did you mean`. */
export const mountKeys = ['exclude', 'mode', 'source', 'target']

/** `directory` is what relative sources start from. Asynchronous: it looks whether they exist. */
export function mounts(directory: string) {
  // A union would report the problems of both forms.
  const mount = z.unknown().transform(async (value, context): Promise<Mount> => {
    const isMapping = value instanceof Object && !Array.isArray(value)
    const mount = isMapping ? await readObject(value, directory, context) : await readText(value, directory)
    if (typeof mount !== 'string') return mount ?? z.NEVER
    context.addIssue({ code: 'custom', message: mount })
    return z.NEVER
  })
  const expected = 'a list such as ["./data:/data:ro"]'
  return z.array(mount, { error: collectionError(expected) }).superRefine((all, context) => {
    // What is no mount, and has been named as that, is among them.
    const targets: unknown[] = all.map((mount: Mount | null | undefined) => mount?.target)
    for (const [index, target] of targets.entries()) {
      const first = target === undefined ? index : targets.indexOf(target)
      const message = `has the target ${JSON.stringify(target)}, as "mounts[${first}]" has`
      if (first < index) context.addIssue({ code: 'custom', message, path: [index] })
    }
  })
}

async function readText(value: unknown, directory: string): Promise<Mount | string> {
  if (typeof value === 'string' && value !== '') return readMount(value, directory)
  const unquoted = typeof value === 'number' || typeof value === 'boolean'
  return `${mustBe('text', value)}${unquoted ? '; write it in quotes' : ''}`
}

async function readObject(
  value: object,
  directory: string,
  context: z.RefinementCtx,
): Promise<Mount | string | undefined> {
  const result = written().safeParse(value)
  if (result.success) {
    const { exclude = [], mode = 'rw', source, target } = result.data
    return readWrittenMount({ exclude, mode, source, target }, directory)
  }
  // Those of unknown keys keep their kind, by which each is named.
  for (const issue of result.error.issues) context.addIssue(issue as never)
  return undefined
}
