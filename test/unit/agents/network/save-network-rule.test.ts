// Owns that a saved rule stands in moat.yaml, and that the user is not asked about it, nor about what was allowed before, but still
// about whatever else an agent has written there.
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseRule } from '../../../../src/agents/network/change-network.js'
import { saveNetworkRule } from '../../../../src/agents/network/save-network-rule.js'
import { powersOf } from '../../../../src/approvals/powers.js'
import { addApprovals, readApprovals } from '../../../../src/approvals/records.js'
import { loadMoatYaml } from '../../../../src/config/moat-yaml.js'
import { moatPaths } from '../../../../src/config/paths.js'
import { decide } from '../../../../src/egress/decide.js'
import type { Effect } from '../../../../src/egress/policy.js'
import { temporaryDirectory } from '../../config/temp-directory.js'

async function place(text: string | undefined, config = 'network: {policy: strict}\n') {
  const workspace = await temporaryDirectory()
  const paths = moatPaths({ MOAT_HOME: await temporaryDirectory() })
  await writeFile(paths.configFile, config)
  if (text !== undefined) await writeFile(join(workspace, 'moat.yaml'), text)
  const asked = async () => {
    const loaded = await loadMoatYaml(workspace, workspace)
    const known = (await readApprovals(paths.approvals, workspace))?.powers ?? []
    const powers = powersOf({ hostPorts: [], loaded, ownMounts: [], strictByDefault: true, workspace })
    return powers.map(({ value }) => value).filter((value) => !known.some((power) => power.value === value))
  }
  const save = (effect: Effect, rule: string) =>
    saveNetworkRule(workspace, rule, parseRule(rule, effect, 'my-app'), paths)
  return { asked, file: join(workspace, 'moat.yaml'), paths, save, workspace }
}

it('stands in the file, is not asked about, and leaves everything else to be asked about', async () => {
  const { asked, file, paths, save, workspace } = await place(
    '# mine\nnetwork:\n  rules:\n    - known.test\n    - new.test\n',
  )
  await chmod(file, 0o640)
  await addApprovals(paths.approvals, workspace, [{ key: 'network', name: 'network.rules', value: 'known.test' }])
  expect(await save('allow', 'api.test:8443')).toEqual({ lines: ['- "api.test:8443"'] })
  expect(await save('allow', 'preset:npm')).toEqual({ lines: ['- preset: npm'] })
  expect(await readFile(file, 'utf8')).toBe(
    '# mine\nnetwork:\n  rules:\n    - preset: npm\n    - "api.test:8443"\n    - known.test\n    - new.test\n',
  )
  expect((await stat(file)).mode & 0o777).toBe(0o640)
  expect(await asked()).toEqual(['new.test'])
  // Which words the others have now.
  expect(await save('deny', 'known.test')).toEqual({ lines: ['- deny: known.test'] })
  expect(await asked()).toEqual(['new.test'])
})

it('is about its path alone, in the list of its host or in one that goes on as before', async () => {
  const { asked, file, save, workspace } = await place(
    'network:\n  rules:\n    - a.test: ["allow GET /**"]\n    - "*.b.test"\n',
  )
  expect(await save('deny', 'a.test GET /x')).toEqual({ lines: ['- a.test: ["deny GET /x", …]'] })
  expect(await save('deny', 'api.b.test POST /y')).toEqual({ lines: ['- api.b.test: ["deny POST /y", "allow * /**"]'] })
  const { config } = await loadMoatYaml(workspace, workspace)
  const policy = { policy: 'strict' as const, rules: (config.network?.rules ?? []).flatMap(({ rules }) => rules) }
  const verdict = (host: string, method: string, path: string) =>
    decide(policy, { host, method, path, port: 443 }).allowed
  expect(verdict('a.test', 'GET', '/x')).toBe(false)
  expect(verdict('a.test', 'GET', '/y')).toBe(true)
  expect(verdict('api.b.test', 'POST', '/y')).toBe(false)
  expect(verdict('api.b.test', 'POST', '/z')).toBe(true)
  expect(await readFile(file, 'utf8')).toContain('    - a.test: ["deny GET /x", "allow GET /**"]\n')
  // Neither was allowed before, so neither is now.
  expect(await asked()).toEqual([
    'api.b.test: deny POST /y, allow * /**',
    'a.test: deny GET /x, allow GET /**',
    '*.b.test',
  ])
})

it('about a path of a pattern is saved with what is narrower before it', async () => {
  const { save, workspace } = await place(
    'network:\n  rules:\n    - deny: admin.a.test\n    - api.a.test: ["allow GET /x"]\n    - "*.a.test"\n',
  )
  await save('deny', '*.a.test DELETE /**')
  const { config } = await loadMoatYaml(workspace, workspace)
  const policy = { policy: 'strict' as const, rules: (config.network?.rules ?? []).flatMap(({ rules }) => rules) }
  const verdict = (host: string, method: string, path: string) =>
    decide(policy, { host, method, path, port: 443 }).allowed
  expect(verdict('admin.a.test', 'GET', '/secret')).toBe(false)
  expect(verdict('api.a.test', 'POST', '/y')).toBe(false)
  expect(verdict('api.a.test', 'GET', '/x')).toBe(true)
  expect(verdict('b.a.test', 'DELETE', '/x')).toBe(false)
  expect(verdict('b.a.test', 'GET', '/x')).toBe(true)
})

it('is put into no list that something before it makes void', async () => {
  const { save, workspace } = await place(
    'network:\n  rules:\n    - "*.a.test": ["allow GET /**"]\n    - api.a.test: ["allow GET /**"]\n',
  )
  expect(await save('deny', 'api.a.test GET /x')).toEqual({ lines: ['- api.a.test: ["deny GET /x", "allow GET /**"]'] })
  const { config } = await loadMoatYaml(workspace, workspace)
  const policy = { policy: 'strict' as const, rules: (config.network?.rules ?? []).flatMap(({ rules }) => rules) }
  expect(decide(policy, { host: 'api.a.test', method: 'GET', path: '/x', port: 443 }).allowed).toBe(false)
})

it('is only said where it cannot be written', async () => {
  const missing = await place(undefined)
  expect(await missing.save('deny', '*.a.test')).toEqual({
    lines: ['- deny: "*.a.test"'],
    problem: expect.stringContaining('There is no moat.yaml in'),
  })
  const alias = await place('env: {A: &x b.test}\nnetwork:\n  rules: &r [*x]\n')
  expect((await alias.save('allow', 'a.test')).problem).toBeUndefined()
  const odd = await place('name: a\n...\n')
  expect((await odd.save('allow', 'a.test')).problem).toContain('moat does not edit')
  expect(await readFile(odd.file, 'utf8')).toBe('name: a\n...\n')
})

it('is not approved of where hosts need no approval', async () => {
  const { paths, save, workspace } = await place('name: a\n', '')
  await save('allow', 'a.test')
  expect(await readApprovals(paths.approvals, workspace)).toBeUndefined()
})
