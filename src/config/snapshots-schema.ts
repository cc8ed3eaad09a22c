// Owns the schema of `snapshots:`, in moat.yaml and in config.yaml, and what is said of keys that stand for what moat does not do.
import { z } from 'zod'
import { collectionError, leaf, mustBe } from './schema-parts.js'

/** More than that is nothing anybody looks through. */
const mostKept = 1_000

export const snapshotCount = leaf<number>(`a whole number from 1 to ${mostKept}`, (value) => {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= mostKept
})

const flag = leaf<boolean>('true or false', (value) => typeof value === 'boolean')

/** In config.yaml. */
export const snapshotSettings = z.strictObject(
  { disabled: flag.optional(), retention: snapshotCount.optional() },
  { error: collectionError('a mapping such as {retention: 50}') },
)

const times = 'moat takes a snapshot before each run, before each restore, and by moat snapshot create'
/** What is asked for by not being disabled. */
const unbuilt: Readonly<Record<string, string>> = {
  disable_builds: 'builds',
  disable_git_commits: 'commits',
  disable_idle: 'idle times',
}

/** `{disable_pre_run: true}`; others may be disabled, as they are. A list such as [commit] is not built. */
const triggers = z.unknown().transform((value, context): { disable_pre_run?: boolean } => {
  const fail = (message: string, path: PropertyKey[] = []) => context.addIssue({ code: 'custom', message, path })
  if (!(value instanceof Object) || Array.isArray(value)) {
    fail(Array.isArray(value) ? `are not built: ${times}` : mustBe('a mapping such as {disable_pre_run: true}', value))
    return z.NEVER
  }
  const { disable_pre_run, ...others } = value as Record<string, unknown>
  if (disable_pre_run !== undefined && typeof disable_pre_run !== 'boolean') {
    fail(mustBe('true or false', disable_pre_run), ['disable_pre_run'])
  }
  for (const [key, setting] of Object.entries(others)) {
    const what = unbuilt[key]
    if (key === 'idle_threshold_seconds' && others.disable_idle === true) continue
    if (what === undefined && key !== 'idle_threshold_seconds')
      fail(`has no key ${JSON.stringify(key)}: ${times}`, [key])
    else if (setting !== true)
      fail(`asks for snapshots at ${what ?? 'idle times'}, which are not built: ${times}`, [key])
  }
  return disable_pre_run === true ? { disable_pre_run } : {}
})

const retention = z.unknown().transform((value, context): number => {
  const isMapping = value instanceof Object && !Array.isArray(value)
  const { max_count, ...others } = isMapping ? (value as Record<string, unknown>) : { max_count: value }
  const result = snapshotCount.safeParse(max_count)
  if (!result.success) {
    for (const { message } of result.error.issues)
      context.addIssue({ code: 'custom', message, path: isMapping ? ['max_count'] : [] })
  }
  for (const [key, setting] of Object.entries(others)) {
    if (key === 'delete_initial' && setting === true) continue
    const why =
      key === 'delete_initial'
        ? 'asks for the first snapshot to be kept for ever, which is not built; leave it out'
        : `has no key ${JSON.stringify(key)}; write {max_count: 30}`
    context.addIssue({ code: 'custom', message: why, path: [key] })
  }
  return result.success ? result.data : z.NEVER
})

const exclude = z.unknown().transform((_, context) => {
  const message =
    'is not built: a snapshot leaves out what git ignores; write the patterns into .gitignore or .git/info/exclude'
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

/** In moat.yaml. */
export const snapshots = z.strictObject(
  {
    disabled: flag.optional(),
    exclude: exclude.optional(),
    retention: retention.optional(),
    triggers: triggers.optional(),
  },
  { error: collectionError('a mapping such as {retention: 50}') },
)
