// Owns the schema of `snapshots:`, in moat.yaml and in config.yaml, and what is said of keys that stand for what moat does not do.
import { z } from 'zod'
import { needed } from './needed.js'
import { collectionError, leaf, mustBe } from './schema-parts.js'

/** More than that is nothing anybody looks through. */
const mostKept = 1_000

export const snapshotCount = needed(() =>
  leaf<number>(`a whole number from 1 to ${mostKept}`, (value) => {
    return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= mostKept
  }),
)

const flag = needed(() => leaf<boolean>('true or false', (value) => typeof value === 'boolean'))

/** When snapshots are taken while an agent works. */
export interface SnapshotTriggers {
  /** After each commit. */
  commit?: true
  /** Seconds without a change, after one. */
  idle?: number
}

const usualIdle = 30
const mostIdle = 3_600
const leastIdle = 2
const form = 'a list such as [commit, idle], or a mapping such as {commit: true, idle: 60}'
const times = `a number of seconds from ${leastIdle} to ${mostIdle}`
const isTime = (value: unknown) => Number.isInteger(value) && Number(value) >= leastIdle && Number(value) <= mostIdle

type Fail = (message: string, path?: PropertyKey[]) => void

/** `[commit, idle]` or `{commit: true, idle: 60}`; `others` takes further keys of a mapping, and says which it does not know. */
function readTriggers(
  value: unknown,
  fail: Fail,
  others: (key: string, setting: unknown) => boolean,
): SnapshotTriggers {
  const triggers: SnapshotTriggers = {}
  const add = (key: unknown, setting: unknown, at: PropertyKey[]) => {
    if (key === 'commit' && typeof setting === 'boolean') {
      if (setting) triggers.commit = true
    } else if (key === 'commit') fail(mustBe('true or false', setting), at)
    else if (key === 'idle' && (typeof setting === 'boolean' || isTime(setting))) {
      if (setting !== false) triggers.idle = setting === true ? usualIdle : Number(setting)
    } else if (key === 'idle') fail(mustBe(`true, false or ${times}`, setting), at)
    else return false
    return true
  }
  if (Array.isArray(value)) {
    for (const [index, key] of value.entries())
      if (!add(key, true, [index])) fail(mustBe('commit or idle', key), [index])
  } else if (value instanceof Object) {
    for (const [key, setting] of Object.entries(value)) {
      if (!add(key, setting, [key]) && !others(key, setting)) {
        fail(`is not known; write ${form}`, [key])
      }
    }
  } else fail(mustBe(form, value))
  return triggers
}

const ownTriggers = needed(() =>
  z.unknown().transform((value, context): SnapshotTriggers => {
    const fail: Fail = (message, path = []) => context.addIssue({ code: 'custom', message, path })
    return readTriggers(value, fail, () => false)
  }),
)

/** In config.yaml. */
export const snapshotSettings = needed(() =>
  z.strictObject(
    { disabled: flag().optional(), retention: snapshotCount().optional(), triggers: ownTriggers().optional() },
    { error: collectionError('a mapping such as {retention: 50}') },
  ),
)

/** Keys of the Go program, by what they turn off; there all of it is on. */
const disabling: Readonly<Record<string, 'before' | 'builds' | 'commit' | 'idle'>> = {
  disable_builds: 'builds',
  disable_git_commits: 'commit',
  disable_idle: 'idle',
  disable_pre_run: 'before',
}

export interface DeclaredTriggers extends SnapshotTriggers {
  /** None before the run. */
  noneBefore?: true
}

/** With the keys of the Go program: `{disable_pre_run: true}`, `{disable_idle: false, idle_threshold_seconds: 60}`. */
const triggers = needed(() =>
  z.unknown().transform((value, context): DeclaredTriggers => {
    const fail: Fail = (message, path = []) => context.addIssue({ code: 'custom', message, path })
    const asked: DeclaredTriggers = {}
    let threshold: number | undefined
    let noIdle = false
    const read = readTriggers(value, fail, (key, setting) => {
      const what = Object.hasOwn(disabling, key) ? disabling[key] : undefined
      if (key === 'idle_threshold_seconds') {
        if (isTime(setting)) threshold = Number(setting)
        else fail(mustBe(times, setting), [key])
      } else if (what === undefined) return false
      else if (typeof setting !== 'boolean') fail(mustBe('true or false', setting), [key])
      else if (what === 'before' && setting) asked.noneBefore = true
      else if (what === 'commit' && !setting) asked.commit = true
      else if (what === 'idle' && setting) noIdle = true
      else if (what === 'idle') asked.idle = usualIdle
      else if (what === 'builds' && !setting)
        fail('asks for snapshots at builds, which are not built; leave it out', [key])
      return true
    })
    const idle = read.idle ?? threshold ?? asked.idle
    return { ...asked, ...read, ...(!noIdle && idle !== undefined && { idle }) }
  }),
)

const retention = needed(() =>
  z.unknown().transform((value, context): number => {
    const isMapping = value instanceof Object && !Array.isArray(value)
    const { max_count, ...others } = isMapping ? (value as Record<string, unknown>) : { max_count: value }
    const result = snapshotCount().safeParse(max_count)
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
  }),
)

const exclude = needed(() =>
  z.unknown().transform((_, context) => {
    const message =
      'is not built: a snapshot leaves out what git ignores; write the patterns into .gitignore or .git/info/exclude'
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }),
)

/** In moat.yaml. */
export const snapshots = needed(() =>
  z.strictObject(
    {
      disabled: flag().optional(),
      exclude: exclude().optional(),
      retention: retention().optional(),
      triggers: triggers().optional(),
    },
    { error: collectionError('a mapping such as {retention: 50}') },
  ),
)
