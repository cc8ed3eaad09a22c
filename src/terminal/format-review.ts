// Owns how a review is printed: the list, and the one line at the end of a run.

import { visible } from '../config/visible.js'
import type { Finding, Review } from '../review/review.js'

/** Files of one directory and one kind that are named one by one; more are counted. */
const mostNamed = 12

/** A line a finding; very many of a kind in one directory are one line. */
export function formatReview({ clone, complete, findings, name, runId, workspace }: Review): string[] {
  if (clone) {
    return [
      `${name} (${runId}) worked in a clone of its own, and was given nothing of ${visible(workspace)}.`,
      "What it has committed is for you to look at before you use it, as a stranger's pull request:",
      '',
      `  moat pull ${name}`,
      `  git diff HEAD...moat/${name}/<branch>`,
    ]
  }
  const partly = complete ? [] : ['Not everything was checked: the workspace has too many files.']
  if (findings.length === 0) {
    const nothing = `${name} (${runId}) changed nothing in ${visible(workspace)} that your own tools run or trust.`
    return complete ? [nothing] : [`Nothing was found in ${visible(workspace)}.`, ...partly]
  }
  const rows = grouped(findings).map(({ change, path, why }) => [change, visible(path), visible(why)])
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const shown = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  const title = `Changed in ${visible(workspace)} since ${name} (${runId}) started, and run or trusted by your own tools:`
  const fixes = findings.flatMap(({ fix }) => (fix === undefined ? [] : [`  ${visible(fix)}`])).slice(0, mostNamed)
  return [
    title,
    '',
    ...shown.map((line) => `  ${line.trimEnd()}`),
    ...(fixes.length > 0
      ? ['', 'Before git status, or a shell whose prompt calls it, is run there:', '', ...fixes]
      : []),
    ...(complete ? [] : ['', ...partly]),
  ]
}

/** What a person hears at the end of a run in a clone. */
export function cloneLine(name: string): string {
  return `The clone of ${name} stays. To fetch what it has committed: moat pull ${name}`
}

/** What a person hears at the end of a run; undefined when there is nothing. */
export function reviewLine({ complete, findings, runId }: Review): string | undefined {
  if (findings.length === 0 && complete) return undefined
  const names = findings.slice(0, 3).map(({ path }) => visible(path))
  const more = findings.length > names.length ? `, and ${findings.length - names.length} more` : ''
  const what = findings.length === 0 ? 'The workspace is too large to be looked through' : `${names.join(', ')}${more}`
  return `Changed, and run or trusted by your own tools: ${what}. See: moat review ${runId}`
}

function grouped(findings: readonly Finding[]): Finding[] {
  const groups = Map.groupBy(findings, ({ change, path, why }) => JSON.stringify([change, path.split('/')[0], why]))
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (!first || group.length <= mostNamed) return group
    return [{ ...first, path: `${first.path.split('/')[0]}/ (${group.length} files)` }]
  })
}
