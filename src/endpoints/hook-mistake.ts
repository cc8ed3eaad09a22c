// Owns saying where in a plugin's code a mistake of its author's is: who only reads "Unexpected end of input" has to search.
import { execFile } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Errors that code does not throw on purpose. */
const mistakes = ['RangeError', 'ReferenceError', 'SyntaxError', 'TypeError']
/** How long reading a plugin's files once more may take. Milliseconds. */
const readingTime = 10_000

/** `/path/to/file.js:3` or `:3:14`; undefined for an error that is thrown on purpose, or whose place is not known. */
export async function placeOfMistake(error: Error, hookFile: string | undefined): Promise<string | undefined> {
  if (!mistakes.includes(error.name)) return undefined
  const place = placeIn(error.stack ?? '') ?? placeIn(await firstWords(error, hookFile))
  return place?.startsWith('file:') ? fileURLToPath(place.replace(/#.*$/, '')) : place
}

/** Of the first line of code that is no library's and not Node's own. */
function placeIn(text: string): string | undefined {
  const places = text.matchAll(/(?:^|\(|at (?:async )?)((?:file:\/\/)?\/[^\s()]+?):(\d+)(:\d+)?(?=\)|$)/gm)
  for (const [, file = '', line = '', column = ''] of places) {
    if (!file.includes('/node_modules/@oclif/')) return `${file}:${line}${column}`
  }
  return undefined
}

/**
 * Where a syntax error is, Node tells only the terminal of a program that ends by it. So another Node reads the file: it runs
 * nothing of a module that it cannot read.
 */
function firstWords({ name }: Error, hookFile: string | undefined): Promise<string> {
  if (name !== 'SyntaxError' || hookFile === undefined) return Promise.resolve('')
  const read = `await import(${JSON.stringify(pathToFileURL(hookFile).href)})`
  return new Promise((resolve) => {
    const options = { env: { ...process.env, NODE_OPTIONS: '' }, timeout: readingTime }
    execFile(process.execPath, ['--input-type=module', '--eval', read], options, (_error, _stdout, stderr) =>
      resolve(stderr.split('\n', 1)[0] ?? ''),
    )
  })
}
