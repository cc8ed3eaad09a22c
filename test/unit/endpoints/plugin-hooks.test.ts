// Plugins that misbehave while they are asked, called by oclif as they are in a command.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Config } from '@oclif/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { oclifPlugins } from '../../../src/endpoints/plugin-hooks.js'
import { until } from '../../helpers/until.js'
import { temporaryDirectory } from '../config/temp-directory.js'

let root: string
beforeEach(async () => {
  root = await temporaryDirectory()
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** A plugin with these files, whose hook is in types.js. */
async function plugin(files: Record<string, string>, time?: number) {
  const hooks = { 'moat:endpoint-types': './types.js' }
  writeFileSync(
    join(root, 'package.json'),
    JSON.stringify({ name: 'moat-plugin-odd', oclif: { hooks }, type: 'module', version: '1.0.0' }),
  )
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
  return oclifPlugins(await Config.load({ root }), time === undefined ? {} : { time })
}

const failure = (reason: string) => ({
  code: 'PLUGIN_FAILED',
  message: `Plugin moat-plugin-odd failed in the hook moat:endpoint-types: ${reason}`,
  suggestions: ['moat plugins inspect moat-plugin-odd', 'moat plugins uninstall moat-plugin-odd'],
})

describe('a mistake in the code of a plugin', () => {
  it.each([
    [
      'of syntax',
      { 'types.js': 'export default async () => {\n  const = 1\n}\n' },
      "Unexpected token '='",
      'types.js:2',
    ],
    [
      'of syntax in what it imports',
      { 'part.js': '\nexport const a = ;', 'types.js': "import { a } from './part.js'\nexport default () => a" },
      "Unexpected token ';'",
      'part.js:2',
    ],
    [
      'in what it imports by name',
      { 'part.js': 'export const a = 1', 'types.js': "import { b } from './part.js'\nexport default () => b" },
      "The requested module './part.js' does not provide an export named 'b'",
      'types.js:1',
    ],
    [
      'at run time',
      { 'types.js': 'export default async () => {\n  await 1\n  return nothing.of.it\n}\n' },
      'nothing is not defined',
      'types.js:3:3',
    ],
  ])('%s is named with its file and line', async (_, files, reason, place) => {
    const { endpointTypes } = await plugin(files)
    await expect(endpointTypes()).rejects.toMatchObject(failure(`${reason} (${join(root, place)})`))
  })

  it('is not what it says on purpose', async () => {
    const { endpointTypes } = await plugin({ 'types.js': "export default () => { throw new Error('not so') }" })
    await expect(endpointTypes()).rejects.toMatchObject(failure('not so'))
  })
})

it('a function that never comes to an end is not waited for', async () => {
  const { endpointTypes } = await plugin({ 'types.js': 'export default () => new Promise(() => {})' }, 100)
  await expect(endpointTypes()).rejects.toMatchObject(failure('it gave no answer within 0.1 s.'))
})

it('what plugins write to stdout goes to stderr, also later, and nothing else does', async () => {
  const written = { stderr: '', stdout: '' }
  for (const name of ['stderr', 'stdout'] as const)
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += text
      return true
    })
  const types = `process.stdout.write('loaded ')
export default async () => { process.stdout.write('called '); setTimeout(() => process.stdout.write('later'), 10); return [] }`
  const { endpointTypes } = await plugin({ 'types.js': types })
  await endpointTypes()
  process.stdout.write('data')
  await until('what comes later', () => written.stderr.endsWith('later'))
  expect(written).toEqual({ stderr: 'loaded called later', stdout: 'data' })
})
