// Prints `N passed, M failed` (and `, K skipped` if any) from vitest's JSON report, as one line for CI; and before it, on stderr,
// why tests were left out that this machine cannot run.
//   count-tests.mjs REPORT EXIT_CODE
import { readFileSync } from 'node:fs'

const [path = '', exitCode] = process.argv.slice(2)

function readReport() {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    // vitest ended before it could write one: its exit code says so below.
    return { testResults: [] }
  }
}

const files = readReport().testResults
const tests = files.flatMap((file) => file.assertionResults)
const count = (...statuses) => tests.filter((test) => statuses.includes(test.status)).length

// A file that does not load has no tests to fail; it counts as one.
const brokenFiles = files.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
).length
const passed = count('passed')
const skipped = tests.length - passed - count('failed')
// An error outside every test (unhandled rejection, no tests at all) shows only in the exit code.
const failed = Math.max(count('failed') + brokenFiles, exitCode === '0' ? 0 : 1)

const leftOut = tests.flatMap(({ meta }) => (meta?.leftOut === undefined ? [] : [meta.leftOut]))
for (const reason of new Set(leftOut))
  console.error(`LEFT OUT: ${leftOut.filter((one) => one === reason).length} tests. ${reason}`)
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
