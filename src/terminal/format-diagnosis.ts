// Owns how a diagnosis is printed: a line a finding, below it the commands that put it right.
import type { Finding } from '../doctor/diagnosis.js'

export function formatDiagnosis(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, fixes, message, status }) => {
    const [first = '', ...rest] = message.split('\n')
    const indent = ' '.repeat(width + 8)
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

function summary(findings: readonly Finding[]): string {
  const failed = findings.filter(({ status }) => status === 'fail').length
  const warned = findings.filter(({ status }) => status === 'warn').length
  const warnings = `${warned} ${warned === 1 ? 'warning' : 'warnings'}`
  if (failed > 0) return `${failed} ${failed === 1 ? 'problem' : 'problems'}, ${warnings}.`
  return warned > 0 ? `No problems, ${warnings}.` : 'No problems.'
}
