// Owns checking one config file against a schema: text to YAML, and zod's issues to problems with positions.
import type { z } from 'zod'
import type { MoatError } from '../errors.js'
import { nearestName } from '../routing/nearest-name.js'
import { keyHint } from './habits.js'
import { configError, type Problem } from './problems.js'
import { readYaml, YamlError, type YamlSource } from './yaml-source.js'

/** The document in `text`, undefined if it is empty. Throws CONFIG_INVALID when it is not one YAML document. */
export function parseConfig(displayFile: string, text: string): YamlSource | undefined {
  try {
    return readYaml(text)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw configError(displayFile, text, [{ message: error.message, offset: error.offset }], error.cause ?? error)
  }
}

/**
 * Checks a document against a schema. Throws one CONFIG_INVALID with all problems. `knownKeys` gives the keys a mapping
 * may have, by its path (`''`, `container`), for `did you mean`.
 */
export async function checkConfig<T>(
  displayFile: string,
  text: string,
  source: YamlSource,
  schema: z.ZodType<T>,
  knownKeys: Readonly<Record<string, readonly string[]>>,
): Promise<T> {
  const { data, error } = await checkPartly(displayFile, text, source, schema, knownKeys)
  if (error) throw error
  return data as T
}

/** What of a document is right, and all problems of the rest as one error. */
export interface PartlyChecked<T> {
  /** Absent when what is wrong cannot be left out. */
  data?: T
  error?: MoatError
  /** Keys that were left out. */
  left: readonly string[]
}

/** The same as `checkConfig`, with what is right beside the error: later checks can look at that. */
export async function checkPartly<T>(
  displayFile: string,
  text: string,
  source: YamlSource,
  schema: z.ZodType<T>,
  knownKeys: Readonly<Record<string, readonly string[]>>,
): Promise<PartlyChecked<T>> {
  const result = await schema.safeParseAsync(source.value)
  const issues = result.error?.issues ?? []
  const problems = [...source.problems, ...issues.flatMap((issue) => problemsOf(issue, source, knownKeys))]
  if (result.success && problems.length === 0) return { data: result.data, left: [] }
  const error = configError(displayFile, text, problems)
  if (result.success) return { data: result.data, error, left: [] }
  const { left, value } = withoutWrong(source.value, issues)
  const rest = await schema.safeParseAsync(value)
  return { error, left, ...(rest.success && { data: rest.data }) }
}

/** Without the keys that issues are about; of endpoints, only the wrong ones go. */
function withoutWrong(value: unknown, issues: readonly SchemaIssue[]): { left: string[]; value: unknown } {
  if (!(value instanceof Object) || Array.isArray(value)) return { left: [], value }
  const rest: Record<string, unknown> = { ...value }
  const left: string[] = []
  for (const { code, keys = [], path } of issues) {
    const [key, inner] = path.map(String)
    const mapping = rest[key ?? '']
    if (key === undefined && code === 'unrecognized_keys') for (const unknown of keys) delete rest[unknown]
    else if (key === 'ports' && inner !== undefined && mapping instanceof Object && !Array.isArray(mapping)) {
      const { [inner]: _, ...others } = mapping as Record<string, unknown>
      rest.ports = others
    } else if (key !== undefined) {
      left.push(key)
      delete rest[key]
    }
  }
  return { left, value: rest }
}

/** What of a schema's issue is looked at: zod's, of whichever copy. */
export type SchemaIssue = Pick<z.core.$ZodIssue, 'message' | 'path'> & {
  code?: string | undefined
  keys?: readonly string[]
  params?: Record<string, unknown> | undefined
}

/** The issue as problems with positions; one of unknown keys is one for each. */
export function problemsOf(
  issue: SchemaIssue,
  source: YamlSource,
  knownKeys: Readonly<Record<string, readonly string[]>>,
): Problem[] {
  const path = formatPath(issue.path)
  if (issue.code === 'unrecognized_keys' && issue.keys) {
    return issue.keys
      .filter((key) => key !== '__proto__')
      .map((key) => ({
        message: unknownKey(key, path, knownKeys),
        offset: source.offsetOf([...issue.path, key], 'key'),
      }))
  }
  // A problem of a key is a sentence of its own; one of a value is said of its path.
  if (issue.code === 'custom' && issue.params?.at === 'key') {
    return [{ message: issue.message, offset: source.offsetOf(issue.path, 'key') }]
  }
  const subject = path === '' ? 'the file' : `"${path}"`
  // zod's own messages are sentences; moat's go on where the subject ends.
  const separator = /^[a-z]/.test(issue.message) ? ' ' : ': '
  return [{ message: `${subject}${separator}${issue.message}`, offset: source.offsetOf(issue.path) }]
}

function unknownKey(key: string, path: string, all: Readonly<Record<string, readonly string[]>>): string {
  // An item of a list stands for all of them, and so does one of a mapping whose keys anybody may choose.
  const known = all[path] ?? all[path.replace(/\[\d+\]/g, '[]')] ?? all[path.replace(/\.[^.]+$/, '.*')] ?? []
  const place = path === '' ? '' : ` in "${path}"`
  if (known.length === 0) return `unknown key "${key}"${place}`
  const nearest = nearestName(key, known)
  const likely = nearest === undefined ? undefined : `did you mean "${nearest}"?`
  const hint = keyHint(key, path, all) ?? likely ?? `known keys are ${known.join(', ')}`
  return `unknown key "${key}"${place}; ${hint}`
}

/** `ports.web`, `command[1]`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('')
}
