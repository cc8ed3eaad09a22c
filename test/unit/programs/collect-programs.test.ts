// What plugins say of coding agents: the fixture of a stranger is taken, what is wrong is refused with its plugin and place.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findProgram } from '../../../src/programs/collect-programs.js'
import type { AgentProgram } from '../../../src/programs/contract.js'
import { declaredPrograms } from '../../../src/programs/declared-programs.js'
import { agentProgram } from '../../helpers/agent-programs.js'

const program: AgentProgram = {
  command: () => ['run-me'],
  dependencies: [],
  grants: [],
  name: 'mine',
  state: [{ directory: '/var/lib/mine', scope: 'profile' }],
  title: 'Mine',
}
const copying = (hostLogin: object) => ({
  ...program,
  hostLogin: { from: '~/.mine/login.json', keys: ['token'], to: '/var/lib/mine/login.json', ...hostLogin },
})
const find = (one: unknown) => findProgram([{ plugin: 'moat-plugin-mine', result: [one] }], 'mine')

it("takes moat's own and a stranger's", async () => {
  const names = ['claude', 'codex', 'gemini'] as const
  const programs = await Promise.all(names.map(agentProgram))
  const answers = programs.map((result) => ({ plugin: result.name, result: [result] }))
  for (const name of names) expect(findProgram(answers, name).name).toBe(name)
})

it('says whose the commands are in two plugins, or in none', () => {
  const answers = ['first', 'second'].map((plugin) => ({ plugin, result: [program] }))
  expect(() => findProgram(answers, 'mine')).toThrow('Both first and second say how mine is run.')
  expect(() => findProgram(answers, 'other')).toThrow('No plugin says how other is run.')
})

it('takes one whose login can be copied', () => {
  expect(find(copying({})).hostLogin?.to).toBe('/var/lib/mine/login.json')
})

describe('refuses', () => {
  it.each<[string, unknown, string]>([
    ['no list', undefined, 'of one, it'],
    ['a name that is no label', { ...program, name: 'My Agent' }, 'of My Agent, name must be a DNS label'],
    ['a command that is a list', { ...program, command: ['x'] }, 'command must be a function'],
    ['state where programs are', { ...program, state: [{ directory: '/usr/bin', scope: 'profile' }] }, 'state.0'],
    ['state in the kernel', { ...program, state: [{ directory: '/proc/x', scope: 'profile' }] }, 'state.0.directory'],
    ['state of moat', { ...program, state: [{ directory: '/run/moat/x', scope: 'profile' }] }, 'state.0.directory'],
    ['a way up', { ...program, state: [{ directory: '/var/lib/../x', scope: 'profile' }] }, 'plain absolute path'],
    ['the workspace', { ...program, state: [{ directory: '/workspace', scope: 'profile' }] }, 'state.0.directory'],
    [
      'state with something between',
      { ...program, state: [...program.state, { directory: '/var/lib/mine/a/b', scope: 'repository' }] },
      '/var/lib/mine/a/b, which does not lie directly in /var/lib/mine',
    ],
    ['state twice', { ...program, state: [...program.state, ...program.state] }, 'a directory of state twice'],
    ['a seed elsewhere', { ...program, seeds: [{ path: '/etc/passwd', text: '' }] }, '/etc/passwd, which lies in no'],
    [
      'what is told, in the workspace',
      { ...program, contextFile: '/workspace/AGENTS.md' },
      '/workspace/AGENTS.md, which',
    ],
    ['what is told, in state', { ...program, contextFile: '/var/lib/mine/a.md' }, '/var/lib/mine/a.md, which'],
    ['an empty seed', { ...program, seeds: [{ path: '/var/lib/mine/a' }] }, 'seeds.0 has a text or a linkTo'],
    ['a login of this machine by a way up', copying({ from: '~/../x' }), 'hostLogin.from must be the plain path'],
    ['a login of this machine from elsewhere', copying({ from: '/etc/x' }), 'hostLogin.from must be the plain path'],
    ['all of a file', copying({ keys: [] }), 'hostLogin.keys'],
    [
      'a copy elsewhere',
      copying({ to: '/x' }),
      'copies a login to /x, which lies directly in no directory of its state',
    ],
    [
      'a copy where an agent may have made a link',
      copying({ to: '/var/lib/mine/a/login.json' }),
      '/var/lib/mine/a/login.json, which lies directly in no directory',
    ],
    [
      'a copy for agents of one repository alone',
      { ...copying({}), state: [{ directory: '/var/lib/mine', scope: 'repository' }] },
      'directly in no directory of its state of a profile',
    ],
    [
      'a copy that is no login',
      { ...copying({}), login: { command: ['x'], file: '/var/lib/mine/other' } },
      'copies a login to /var/lib/mine/login.json, and looks for one at /var/lib/mine/other',
    ],
    ['a login elsewhere', { ...program, login: { command: ['x'], file: '/x' } }, '/x, which lies in no directory'],
  ])('%s', (_, one, reason) => {
    const message = (() => {
      try {
        find(one)
      } catch (error) {
        return (error as Error).message
      }
      return 'nothing'
    })()
    expect(message).toContain('Plugin moat-plugin-mine declares its coding agents incorrectly: ')
    expect(message).toContain(reason)
  })
})

it('reads the names of commands from a package, and nothing else for one', () => {
  const file = JSON.parse(readFileSync('test/fixtures/plugin-gemini/package.json', 'utf8')) as unknown
  expect(declaredPrograms(file)).toEqual([{ name: 'gemini', summary: 'Run Gemini in a container' }])
  for (const odd of [
    undefined,
    'x',
    {},
    { moat: null },
    { moat: { agents: ['a'] } },
    { moat: { agents: { 'A b': 'x', c: 1 } } },
  ])
    expect(declaredPrograms(odd)).toEqual([])
})
