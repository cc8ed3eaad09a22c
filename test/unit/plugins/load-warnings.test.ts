// What is said when oclif cannot read the list of plugins, in each way in which it may be wrong; of other warnings, nothing is changed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { installedPlugins, pluginListProblem } from '../../../src/config/installed-plugins.js'
import { explainLoadWarnings } from '../../../src/plugins/load-warnings.js'

const usual = process.listeners('warning')
let directory: string
let lines: string[]
let others: Error[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-plugins-'))
  lines = []
  others = []
  process.removeAllListeners('warning')
  process.on('warning', (warning) => others.push(warning))
  explainLoadWarnings(directory, (line) => lines.push(line))
})
afterEach(() => {
  process.removeAllListeners('warning')
  for (const listener of usual) process.on('warning', listener)
  rmSync(directory, { force: true, recursive: true })
})

const file = () => join(directory, 'package.json')
const warn = (warning: Error) => process.emit('warning', warning)

it.each([
  ['{', 'it is not a JSON object'],
  ['null', 'it is not a JSON object'],
  ['{"oclif": {"plugins": 5}}', 'oclif.plugins in it is not a list of plugins'],
  ['{"oclif": {"plugins": [null]}}', 'oclif.plugins in it is not a list of plugins'],
  ['{"oclif": {"plugins": [{"name": "a", "root": 1}]}}', 'oclif.plugins in it is not a list of plugins'],
])('says once which file it is that cannot be read: %s', (text, reason) => {
  writeFileSync(file(), text)
  warn(new SyntaxError('Unexpected end of JSON input'))
  warn(new SyntaxError('Unexpected end of JSON input'))
  expect(lines).toEqual([
    `Warning: ${file()}, the list of plugins, cannot be read: ${reason}. No plugin is loaded.\n  mv ${file()} ${file()}.broken   # then install plugins again`,
  ])
  expect(others).toEqual([])
  expect(installedPlugins(directory)).toEqual([])
})

it('says so of what is no file', () => {
  mkdirSync(file())
  warn(new Error('EISDIR: illegal operation on a directory, read'))
  expect(lines[0]).toContain('cannot be read: illegal operation on a directory')
})

it.each(['{}', '{"oclif": {}}', '{"oclif": {"plugins": ["a", {"name": "b"}]}}'])('has nothing against %s', (text) => {
  writeFileSync(file(), text)
  expect(pluginListProblem(directory)).toBeUndefined()
})

it("leaves Node's own warnings to Node, and what is said while the list can be read", () => {
  const plain = new Error('Something else.')
  warn(plain)
  writeFileSync(file(), '{')
  const deprecation = Object.assign(new Error('Do not use it.'), { name: 'DeprecationWarning' })
  warn(deprecation)
  expect(others).toEqual([plain, deprecation])
  expect(lines).toEqual([])
})
