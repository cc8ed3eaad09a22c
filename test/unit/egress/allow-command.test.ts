// Owns that what an agent asked for becomes a word of a command only if it is a rule: never a flag.
import { describe, expect, it } from 'vitest'
import { allowCommand, isHostRule } from '../../../src/egress/allow-command.js'

describe('a host that was refused', () => {
  it.each(['a.test', 'a-b.test:8443', '_x.test', '192.0.2.1', '[2001:db8::1]:443'])('may be allowed: %s', (rule) => {
    expect(isHostRule(rule)).toBe(true)
  })

  it.each(['--save', '-n', '-x.test', 'a.-b.test', '--save:443', '*', '*.a.test', 'preset:npm', 'a.test GET /', ''])(
    'may not be allowed: %j',
    (rule) => expect(isHostRule(rule)).toBe(false),
  )

  it('is named in the command only then', () => {
    const refused = { agent: 'my-app', port: 443, reason: 'no rule' }
    expect(allowCommand({ ...refused, host: 'a.test' })).toBe('moat network allow my-app a.test')
    for (const host of ['--save', '-x.test', 'a.-b.test']) expect(allowCommand({ ...refused, host })).toBeUndefined()
  })

  it('is allowed a path alone where a line about paths refused it, and only one that is pasted as it is', () => {
    const asked = {
      agent: 'my-app',
      host: 'a.test',
      method: 'POST',
      port: 443,
      reason: 'no rule for this path',
      rule: 'a',
    }
    const command = 'moat network allow my-app "a.test POST /x/y-1"'
    expect(allowCommand({ ...asked, path: '/x/y-1' })).toBe(command)
    expect(allowCommand({ ...asked, path: '/x/y-1', reason: 'rule', rule: 'deny * /**' })).toBe(command)
    expect(allowCommand({ ...asked, path: '/', port: 8443 })).toBe('moat network allow my-app "a.test:8443 POST /"')
    for (const path of ['/$(id)', '/`id`', '/"', '/*', '/..', '/a/../b', '//x', '/a b', '/%41', '/\n', "/'", '/!x', ''])
      expect(allowCommand({ ...asked, path })).toBeUndefined()
    expect(allowCommand({ ...asked, method: 'X"', path: '/x' })).toBeUndefined()
    const host = { ...asked, path: '/x', reason: 'rule', rule: 'deny: a.test' }
    expect(allowCommand(host)).toBe('moat network allow my-app a.test')
  })
})
