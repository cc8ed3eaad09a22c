// Which test files a change can have broken: those that reach a changed file by imports, and for src the directories of
// integration tests that its room shows itself in. Prints one a line; nothing at all where only everything will do.
// node scripts/setup/changed-tests.mjs [REF]      Changed since REF, or since the last commit; what git does not know yet counts.
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Rooms that not every command enters, and where they show. A change of any other can break everything. */
const shownIn = {
  approvals: ['approvals', 'run'],
  authority: ['authority', 'doctor', 'run'],
  completion: ['completion'],
  doctor: ['doctor'],
  endpoints: ['endpoints', 'plugins', 'run'],
  images: ['images', 'run'],
  pages: ['pages'],
  plugins: ['plugins'],
  projects: ['frameworks', 'run'],
  review: ['review', 'worktrees'],
  worktrees: ['review', 'run', 'worktrees'],
}

/** The files of tests that `changed` can have broken, sorted; undefined for all. `read` and `exists` look into the checkout. */
export function testsFor(changed, { exists, files, read }) {
  // Those of examples run only when they are asked for.
  const tests = files.filter((file) => file.endsWith('.test.ts') && !file.startsWith('test/examples/'))
  const chosen = new Set()
  for (const file of changed) {
    const found = brokenBy(file, { exists, files, read, tests })
    if (!found) return undefined
    for (const test of found) chosen.add(test)
  }
  return [...chosen].toSorted()
}

function brokenBy(file, { exists, files, read, tests }) {
  if (file.endsWith('.md')) return tests.filter((test) => read(test).includes(file.split('/').at(-1)))
  if (file.startsWith('bench/') || file.startsWith('docs/')) return []
  const [top, room] = file.split('/')
  if (top === 'src' && !shownIn[room]) return undefined
  if (top !== 'src' && top !== 'test') return undefined
  // What every file of a project begins with.
  if (read('vitest.config.ts').includes(file.replace(/\.ts$/, ''))) return undefined
  const byImport = reaching(file, { exists, files, read }).filter((one) => tests.includes(one))
  // Programs and data are called by their names, by helpers too.
  const callers =
    top === 'test' && !file.endsWith('.ts') ? files.filter((one) => read(one).includes(file.split('/')[2])) : []
  const reached = callers.flatMap((one) => reaching(one, { exists, files, read }))
  const byName = tests.filter((test) => reached.includes(test))
  const places = top === 'src' ? shownIn[room].map((place) => `test/integration/${place}/`) : []
  return [...byImport, ...byName, ...tests.filter((test) => places.some((place) => test.startsWith(place)))]
}

/** The file, and all that import it, by however many steps. */
function reaching(file, { exists, files, read }) {
  const reached = new Set([file])
  let before
  do {
    before = reached.size
    for (const one of files) if (importsOf(one, { exists, read }).some((other) => reached.has(other))) reached.add(one)
  } while (reached.size > before)
  return [...reached].filter(exists)
}

const known = new Map()
function importsOf(file, { exists, read }) {
  if (!known.has(file)) {
    const named = [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)]
    const paths = named.map(([, path]) => normalize(join(dirname(file), path)).replace(/\.js$/, '.ts'))
    known.set(file, paths.filter(exists))
  }
  return known.get(file)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).split('\n').filter(Boolean)
  const ref = process.argv[2] ?? 'HEAD'
  const changed = [...git('diff', '--name-only', ref, '--'), ...git('ls-files', '--others', '--exclude-standard')]
  const files = [...globSync('src/**/*.ts'), ...globSync('test/**/*.ts')].filter(
    (file) => !file.includes('node_modules'),
  )
  const tests = testsFor(changed, { exists: existsSync, files, read: (file) => readFileSync(file, 'utf8') })
  if (tests?.length === 0) console.error('No test looks at what has changed.')
  for (const test of tests ?? []) console.log(test)
  process.exitCode = tests === undefined ? 3 : 0
}
