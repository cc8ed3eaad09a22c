import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { resolveLocalPlugin } from '../../../src/plugins/local-plugin.js'
import { temporaryDirectory } from '../config/temp-directory.js'

it('gives npm the absolute path of a file, however it is written', async () => {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'hello-1.0.0.tgz'), '')
  for (const word of [
    'hello-1.0.0.tgz',
    './hello-1.0.0.tgz',
    join(directory, 'hello-1.0.0.tgz'),
    'file:hello-1.0.0.tgz',
  ]) {
    expect(await resolveLocalPlugin(word, directory)).toBe(`file:${directory}/hello-1.0.0.tgz`)
  }
})

it('leaves all else to oclif, also a package that is called like a directory here', async () => {
  const directory = await temporaryDirectory()
  await mkdir(join(directory, 'hello'))
  for (const word of [
    'hello',
    '@scope/hello@1.0.0',
    'ann/hello',
    'https://example.com/hello.tgz',
    'git+ssh://x/y.git',
    '--force',
  ]) {
    expect(await resolveLocalPlugin(word, directory)).toBe(word)
  }
})

it('says that a file is not there, and that a directory is linked', async () => {
  const directory = await temporaryDirectory()
  await mkdir(join(directory, 'my plugin'))
  await expect(resolveLocalPlugin('./nope.tgz', directory)).rejects.toMatchObject({
    code: 'USAGE',
    message: `There is no file ${directory}/nope.tgz.`,
    suggestions: ['npm pack', 'moat plugins link <directory>'],
  })
  await expect(resolveLocalPlugin('./my plugin', directory)).rejects.toMatchObject({
    message: './my plugin is a directory: link it instead, so that it is used as it is.',
    suggestions: ["moat plugins link './my plugin'"],
  })
})
