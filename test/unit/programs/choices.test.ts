// Which grant a coding agent gets, and in whose volumes it keeps what it knows.
import { expect, it } from 'vitest'
import { chooseGrant } from '../../../src/programs/choose-grant.js'
import { assertStateFree, stateVolumes } from '../../../src/programs/state-volumes.js'
import { agentProgram } from '../../helpers/agent-programs.js'

const claude = await agentProgram('claude')

const wanted = ['claude', 'anthropic']

it.each<[string, string[], string[], ReturnType<typeof chooseGrant>]>([
  ['the best that there is', [], ['anthropic', 'claude', 'github'], { added: ['claude'], grant: 'claude' }],
  ['the only one', [], ['anthropic'], { added: ['anthropic'], grant: 'anthropic' }],
  ['the one that was said', ['anthropic'], ['claude'], { added: [], grant: 'anthropic' }],
  ['the one that was said, of a profile', ['github', 'anthropic@work'], ['claude'], { added: [], grant: 'anthropic' }],
  ['none', ['github'], ['github'], { added: [] }],
])('has %s', (_, named, there, choice) => {
  expect(chooseGrant(wanted, named, there)).toEqual(choice)
})

it('keeps settings by profile, and conversations by repository', () => {
  const place = { home: '/h/.moat', workspace: '/src/app' }
  const of = (given: object) =>
    stateVolumes(claude, { ...place, profile: 'default', ...given }).map(({ name, place: at }) => `${name} ${at}`)
  expect(of({})).toEqual(['claude.default /h/.moat', 'claude.projects.default /src/app'])
  expect(of({ commonDir: '/src/.git', profile: 'b' })).toEqual(['claude.b /h/.moat', 'claude.projects.b /src/.git'])
})

it('refuses what is mounted in the place of it', () => {
  const check = (target: string) => () => assertStateFree(claude, [{ target }], 'moat.yaml')
  for (const target of ['/var/lib/claude', '/var/lib', '/var/lib/claude/projects'])
    expect(check(target)).toThrow(`mounts something at ${target}, where moat claude keeps /var/lib/claude`)
  expect(check('/var/lib/claude-2')).not.toThrow()
})
