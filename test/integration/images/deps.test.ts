// `moat deps` as a person and a script use it.
import { afterAll, expect, it } from 'vitest'
import { Sandbox } from '../../helpers/sandbox.js'

const sandbox = new Sandbox()
afterAll(() => sandbox.cleanUp())

it('lists the dependencies, and describes one', async () => {
  const list = await sandbox.moat(['deps', 'list'])
  expect(list.stdout).toMatch(/^NAME +KIND +DEFAULT VERSION +FOR\n/)
  expect(list.stdout).toMatch(/^node +runtime +22 +JavaScript runtime with npm$/m)
  const { dependencies } = await sandbox.json<{ dependencies: { name: string }[] }>(['deps', 'list'])
  expect(dependencies.length).toBe(list.stdout.trim().split('\n').length - 1)

  const info = await sandbox.moat(['deps', 'info', 'claude-code'])
  expect(info.stdout).toMatch(/^Comes from: +@anthropic-ai\/claude-code$/m)
  expect(await sandbox.json(['deps', 'info', 'git'])).toMatchObject({ defaultVersion: null, kind: 'apt', name: 'git' })
})

it('names the nearest when there is none of that name', async () => {
  const { code, stderr } = await sandbox.moat(['deps', 'info', 'ripgrpe'])
  expect(code).toBe(2)
  expect(stderr).toContain('"ripgrpe" is not a dependency that moat knows; did you mean "ripgrep"?')
  expect(stderr).toContain('moat deps list')
})
