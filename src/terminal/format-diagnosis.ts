// Owns how a diagnosis is printed: a line a finding, below it the commands that put it right.
import type { Finding } from '../doctor/diagnosis.js'
import { wrapWords } from './table.js'

/** For a terminal of that many columns, what is said of a finding stays in its column. */
export function formatDiagnosis(findings: readonly Finding[], columns?: number): string {
  const width = Math.max(0, ...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, fixes, message, status }) => {
    const indent = ' '.repeat(width + 8)
    const [first = '', ...rest] = message.split('\n').flatMap((line) => within(line, columns, indent.length))
    const commands = status === 'ok' ? [] : fixes.map((fix) => `${indent}  ${fix}`)
    const say = commands.length > 0 ? [`${indent}Try this:`] : []
    return [
      `${status.padEnd(4)}  ${check.padEnd(width)}  ${first}`,
      ...rest.map((line) => indent + line),
      ...say,
      ...commands,
    ]
  })
  return [...lines, '', summary(findings)].join('\n')
}

/** Commands are to be copied, so only what is said is broken into lines. */
function within(line: string, columns: number | undefined, indent: number): string[] {
  const width = (columns ?? 0) - indent
  if (width < 20 || line.length <= width) return [line]
  const [, start = '', text = ''] = /^(\s*)(.*)$/s.exec(line) ?? []
  return wrapWords(text.split(' '), width - start.length).map((part) => start + part)
}

function summary(findings: readonly Finding[]): string {
  const failed = findings.filter(({ status }) => status === 'fail').length
  const warned = findings.filter(({ status }) => status === 'warn').length
  const warnings = `${warned} ${warned === 1 ? 'warning' : 'warnings'}`
  if (failed > 0) return `${failed} ${failed === 1 ? 'problem' : 'problems'}, ${warnings}.`
  return warned > 0 ? `No problems, ${warnings}.` : 'No problems.'
}
