// Owns the policy an agent starts with.
import { expect, it } from 'vitest'
import { planNetwork } from '../../../../src/agents/plan/plan-network.js'
import { decide } from '../../../../src/egress/decide.js'
import { rulesOfText } from '../../../../src/egress/rules-of-text.js'

const rules = rulesOfText('a.test', 'allow', 'moat.yaml:1:1')
const declared = {
  host: [1],
  peers: ['b'],
  rules: [{ rules: typeof rules === 'string' ? [] : rules, text: 'a.test' }],
}

it('is that of moat.yaml, else the default, with what flags allow first', () => {
  const planned = planNetwork({ allow: ['b.test:5432', 'c.test GET /x'], declared, defaultPolicy: 'strict' })
  expect(planned).toEqual({
    host: [1],
    peers: ['b'],
    policy: 'strict',
    rules: [
      { effect: 'allow', host: 'b.test', place: '--allow', port: 5432, text: 'b.test:5432' },
      {
        effect: 'allow',
        host: 'c.test',
        paths: [{ effect: 'allow', method: 'GET', path: '/x' }],
        place: '--allow',
        text: 'c.test GET /x',
      },
      { effect: 'allow', host: 'a.test', place: 'moat.yaml:1:1', text: 'a.test' },
    ],
  })
  const own = planNetwork({ allow: [], declared: { ...declared, policy: 'permissive' }, defaultPolicy: 'strict' })
  expect(own.policy).toBe('permissive')
  const none = { host: [], peers: [], policy: 'permissive', rules: [] }
  expect(planNetwork({ allow: [], declared: undefined, defaultPolicy: 'permissive' })).toEqual(none)
})

it.each([
  [
    'https://a.test/x',
    '--allow "https://a.test/x" must be a host without a scheme, not "https://a.test/x"; write "a.test * /x/**".',
  ],
  ['a.test/*', '--allow "a.test/*" must be a host without a path, not "a.test/*"; write "a.test".'],
  ['npm', '--allow "npm" names a preset; write preset:npm, or npm:443 for a host of that name.'],
  ['presets:npm', '--allow "presets:npm" names a preset; write preset:npm, or npm:443 for a host of that name.'],
  ['preset:nmp', '--allow "preset:nmp" names a preset that there is none of; did you mean preset:npm?'],
])('refuses --allow %s', (text, message) => {
  const plan = () => planNetwork({ allow: [text], declared: undefined, defaultPolicy: 'strict' })
  expect(plan).toThrow(expect.objectContaining({ code: 'USAGE', message }))
})

it('leaves what moat.yaml says of a host to the paths that a flag does not name', () => {
  const denied = { effect: 'deny', host: 'a.test', place: 'moat.yaml:1:1', text: 'deny a.test' } as const
  const planned = planNetwork({
    allow: ['a.test GET /p'],
    declared: { ...declared, rules: [{ rules: [denied], text: 'deny a.test' }] },
    defaultPolicy: 'permissive',
  })
  const verdict = (path: string) => decide(planned, { host: 'a.test', method: 'GET', path, port: 443 }).allowed
  expect([verdict('/p'), verdict('/q')]).toEqual([true, false])
})
