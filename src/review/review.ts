// Owns the review of a run: what it has created or changed of the files that its user's tools run or trust.
import { join } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { innerPrograms } from '../worktrees/inner-repositories.js'
import { checkoutAt } from '../worktrees/settle-checkout.js'
import { type RecordName, type RunStart, readRunRecord, recordNames, writeRunRecord } from './run-records.js'
import { type SurveyEntry, survey } from './survey.js'

export interface Finding {
  change: 'changed' | 'created' | 'removed'
  /** The command that takes out of it what cannot wait: `git status` in the checkout would run it. */
  fix?: string
  /** Relative to the workspace; `#key` is of a JSON file. */
  path: string
  /** Why it matters. */
  why: string
}

export interface Review extends RunStart {
  /** False when the workspace has more than was looked at, now or at the start. */
  complete: boolean
  findings: Finding[]
}

/** Looks at the workspace of a run that is about to begin, and remembers it. */
export async function rememberStart({ reviews }: Pick<MoatPaths, 'reviews'>, start: RunStart): Promise<void> {
  const before = start.clone ? { complete: true, entries: new Map() } : await survey(start.workspace)
  await writeRunRecord(reviews, { ...start, before })
}

/** Runs that can be reviewed, ended ones too, the latest first. */
export function reviewableRuns({ reviews }: Pick<MoatPaths, 'reviews'>): Promise<RecordName[]> {
  return recordNames(reviews)
}

/** Compares the workspace with what it was before the run. */
export async function reviewRun({ file }: Pick<RecordName, 'file'>): Promise<Review> {
  const { before, writtenMs, ...start } = await readRunRecord(file)
  if (start.clone) return { ...start, complete: true, findings: [] }
  const now = await survey(start.workspace)
  const paths = [...new Set([...now.entries.keys(), ...before.entries.keys()])].toSorted()
  const findings = paths.flatMap((path): Finding[] => {
    const [old, current] = [before.entries.get(path), now.entries.get(path)]
    const change = changeOf(old, current, writtenMs)
    return change === undefined ? [] : [{ change, path, why: (current ?? old)?.why ?? '' }]
  })
  await addFixes(start.workspace, findings)
  return { ...start, complete: before.complete && now.complete, findings }
}

/** Of configs of repositories within, which are harmless until a person's git looks into them: what has it do so. */
async function addFixes(workspace: string, findings: Finding[]): Promise<void> {
  const configs = new Map(
    findings.filter(({ path }) => /\/config(\.worktree)?$/i.test(path)).map((one) => [join(workspace, one.path), one]),
  )
  if (configs.size === 0) return
  const place = await checkoutAt(workspace).catch(() => undefined)
  if (!place) return
  for (const { file, fix, key } of await innerPrograms(place)) {
    const finding = configs.get(file)
    if (!finding) continue
    finding.why = `git status in this directory looks into that repository, and runs what ${key} names`
    finding.fix = finding.fix === undefined ? fix : `${finding.fix}; ${fix}`
  }
}

function changeOf(
  old: SurveyEntry | undefined,
  current: SurveyEntry | undefined,
  startedMs: number,
): Finding['change'] | undefined {
  if (!current) return old?.digest === undefined ? undefined : 'removed'
  if (!old) return current.bornMs > 0 && current.bornMs < startedMs ? 'changed' : 'created'
  return isSame(old, current) ? undefined : 'changed'
}

/** The time of change is the system's own: unlike the time of modification, nobody sets it. */
function isSame(old: SurveyEntry, current: SurveyEntry): boolean {
  if (old.mode !== current.mode || old.why !== current.why) return false
  if (old.digest !== undefined && current.digest !== undefined) return old.digest === current.digest
  return old.digest === current.digest && old.changedMs === current.changedMs && old.size === current.size
}
