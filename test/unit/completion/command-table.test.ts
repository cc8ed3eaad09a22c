// Commands of coding agents as completion knows them: by what packages say, without any of their code.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readCommandTable } from '../../../src/completion/command-table.js'
import { temporaryDirectory } from '../config/temp-directory.js'

it('has a command for each coding agent, with the flags of all of them', async () => {
  const root = await temporaryDirectory()
  const write = async (file: string, data: object) => {
    await mkdir(join(root, file, '..'), { recursive: true })
    await writeFile(join(root, file), JSON.stringify(data))
  }
  const template = { args: {}, completion: { path: 'directories' }, flags: { prompt: { type: 'option' } } }
  const commands = {
    'coding-agent': { ...template, description: 'x', hidden: true, id: 'coding-agent' },
    run: { description: 'Run it', id: 'run' },
  }
  await write('package.json', { oclif: { commands: './commands', plugins: ['moat-plugin-a'] } })
  await write('oclif.manifest.json', { commands })
  // One has a name that is taken.
  await write('node_modules/moat-plugin-a/package.json', { moat: { agents: { mine: 'Run mine', run: 'Not this' } } })
  await write('plugins/package.json', { oclif: { plugins: [{ name: 'b', root: join(root, 'b') }] } })
  await write('b/package.json', { moat: { agents: { gemini: 'Run Gemini' } } })
  const table = await readCommandTable(join(root, 'plugins'), root)
  const own = (description: string, id: string) => ({ ...template, description, hidden: false, id })
  expect(table.commands.filter(({ id }) => ['gemini', 'mine'].includes(id))).toEqual([
    own('Run mine', 'mine'),
    own('Run Gemini', 'gemini'),
  ])
  expect(table.commands.find(({ id }) => id === 'run')?.description).toBe('Run it')
})
