// Owns what is decided of a request under a policy, and that no way to write a host or a path gets past a denial.
import { describe, expect, it } from 'vitest'
import { decide, listsAddress } from '../../../src/egress/decide.js'
import type { NetworkPolicy, NetworkRule, PathRule, PolicyMode } from '../../../src/egress/policy.js'

function allow(host: string, more: Partial<NetworkRule> = {}): NetworkRule {
  return { effect: 'allow', host, text: host, ...more }
}

function deny(host: string, more: Partial<NetworkRule> = {}): NetworkRule {
  return { effect: 'deny', host, text: `deny: ${host}`, ...more }
}

function line(text: string): PathRule {
  const [effect = '', method = '', path = ''] = text.split(' ')
  return { effect: effect as PathRule['effect'], method, path }
}

function policyOf(policy: PolicyMode, ...rules: NetworkRule[]): NetworkPolicy {
  return { host: [], peers: [], policy, rules }
}

const strict = (...rules: NetworkRule[]) => policyOf('strict', ...rules)
const permissive = (...rules: NetworkRule[]) => policyOf('permissive', ...rules)
const at = (host: string, port = 443) => ({ host, port })
const get = (path: string, method = 'GET') => ({ host: 'api.github.com', method, path, port: 443 })

describe('a host', () => {
  it('is refused in strict when no rule names it, and allowed in permissive', () => {
    expect(decide(strict(allow('a.test')), at('b.test'))).toEqual({
      allowed: false,
      intercept: false,
      reason: 'no rule',
    })
    expect(decide(permissive(), at('b.test'))).toEqual({ allowed: true, intercept: false, reason: 'permissive' })
  })

  it('is decided by the first rule about it and its port', () => {
    const policy = strict(
      deny('x.a.test'),
      allow('*.a.test', { place: 'moat.yaml:3:5' }),
      deny('a.test'),
      allow('a.test'),
    )
    expect(decide(policy, at('x.a.test')).allowed).toBe(false)
    expect(decide(policy, at('y.a.test'))).toEqual({
      allowed: true,
      intercept: false,
      place: 'moat.yaml:3:5',
      reason: 'rule',
      rule: '*.a.test',
    })
    expect(decide(policy, at('a.test'))).toMatchObject({ allowed: false, rule: 'deny: a.test' })
    const ports = strict(deny('a.test', { port: 443 }), allow('a.test'))
    expect(decide(ports, at('a.test', 443)).allowed).toBe(false)
    expect(decide(ports, at('a.test', 80)).allowed).toBe(true)
  })

  it.each([
    ['a.test', 80, true],
    ['a.test', 443, true],
    ['a.test', 8443, false],
    ['db.test', 5432, true],
    ['db.test', 443, false],
    ['deep.er.wild.test', 443, true],
    ['wild.test', 443, false],
    ['notwild.test', 443, false],
    ['A.TEST', 443, true],
    ['a.test.', 443, true],
    ['a.test..', 443, false],
    ['.a.test', 443, false],
    ['deep..wild.test', 443, false],
    ['[2001:DB8:0:0::1]', 443, true],
    ['2001:db8::1', 443, true],
    ['[2001:db8::1%25eth0]', 443, false],
    ['192.0.2.1', 443, true],
    ['0xC0.0.2.1', 443, true],
    ['3221225985', 443, true],
    ['[::ffff:192.0.2.1]', 443, true],
    ['192.0.2.2', 443, false],
    ['a.test', 0, false],
    ['a.test', 65_536, false],
    ['ａ.test', 443, true],
    ['xn--bcher-kva.test', 443, true],
    ['bücher.test', 443, true],
    ['a.test@evil.test', 443, false],
    ['a.test/evil', 443, false],
    ['a%2etest', 443, false],
    ['a.test\0.evil.test', 443, false],
    ['a.test:443', 443, false],
    ['', 443, false],
    ['*', 443, false],
  ])('%s:%d', (host, port, allowed) => {
    const hosts = ['a.test', '*.wild.test', '2001:db8::1', '192.0.2.1', 'xn--bcher-kva.test'].map((name) => allow(name))
    const policy = strict(...hosts, allow('db.test', { port: 5432 }))
    expect(decide(policy, at(host, port)).allowed).toBe(allowed)
  })

  it('that is denied is denied however it is written, at every port', () => {
    const policy = permissive(deny('evil.test'), deny('10.0.0.1'), deny('*.tracking.test'))
    for (const host of [
      'EVIL.test',
      'evil.test.',
      'ｅvil.test',
      'evil。test',
      '10.1',
      '0x0a000001',
      '[::ffff:a00:1]',
    ]) {
      expect(decide(policy, at(host))).toMatchObject({ allowed: false })
      expect(decide(policy, at(host, 8080))).toMatchObject({ allowed: false })
    }
    expect(decide(policy, at('a.b.tracking.test')).allowed).toBe(false)
    expect(decide(policy, at('tracking.test')).allowed).toBe(true)
  })

  it('that is malformed is refused in permissive too', () => {
    for (const host of ['', 'a b', 'a..b', '[::1', '256.1.1.1', 'a.test#', `${'a'.repeat(64)}.test`])
      expect(decide(permissive(), at(host))).toMatchObject({ allowed: false, reason: 'malformed host' })
  })

  it('that is an address is not what a pattern of names stands for', () => {
    expect(decide(strict(allow('*.0.0.1')), at('127.0.0.1')).allowed).toBe(false)
    expect(decide(strict(allow('*')), at('127.0.0.1')).allowed).toBe(true)
  })
})

describe('a listed address', () => {
  it('is one that a rule names and no rule before it denies', () => {
    const lists = (policy: NetworkPolicy, address: string, port = 443) => listsAddress(policy, address, port, 'a.test')
    expect(lists(strict(allow('*'), allow('10.0.0.1')), '10.0.0.1')).toBe(true)
    expect(lists(strict(allow('*')), '10.0.0.1')).toBe(false)
    expect(lists(strict(allow('10.0.0.1')), '10.0.0.1', 5432)).toBe(false)
    expect(lists(strict(deny('*'), allow('10.0.0.1')), '10.0.0.1')).toBe(false)
    expect(lists(strict(allow('fd00::1')), '[FD00:0::1]', 80)).toBe(true)
  })

  it('is one for who asks for it by itself, where there are lines about its paths', () => {
    for (const text of ['deny * /**', 'allow GET /public/**', 'allow * /public/**', 'allow GET /**', 'deny GET /x']) {
      const policy = strict(allow('*'), allow('10.0.0.1', { paths: [line(text), line('allow * /**')] }))
      expect(listsAddress(policy, '10.0.0.1', 80, 'a.test')).toBe(false)
      expect(listsAddress(policy, '10.0.0.1', 80, '10.0.0.2')).toBe(false)
      expect(listsAddress(policy, '10.0.0.1', 80, '10.1')).toBe(true)
    }
    // As a grant for it has them.
    const all = strict(allow('10.0.0.1', { paths: [line('allow * /**')] }))
    expect(listsAddress(all, '10.0.0.1', 443, 'a.test')).toBe(true)
    expect(listsAddress(strict(allow('*')), '10.0.0.1', 443, '10.0.0.1')).toBe(false)
  })
})

describe('rules about paths', () => {
  const lines = ['deny * /repos/secret/**', 'allow GET /repos/**', 'allow * /gists/*/star', 'allow POST /graphql']
  const rule = allow('api.github.com', { paths: lines.map(line), place: 'moat.yaml:4:9' })

  it.each([
    ['/repos/a/b', 'GET', true],
    ['/repos', 'GET', true],
    ['/repos/', 'GET', true],
    ['/repos/a', 'POST', false],
    ['/repos/a', 'get', false],
    ['/reposx', 'GET', false],
    ['//repos//a', 'GET', true],
    ['/./repos/%61', 'GET', true],
    ['/re%70os/a?x=/../y', 'GET', true],
    ['/repos/a/../../user', 'GET', false],
    ['/user/../repos/a', 'GET', true],
    ['/gists/1/star', 'PUT', true],
    ['/gists/1/2/star', 'PUT', false],
    ['/gists/star', 'PUT', false],
    ['/gists/a%2Fb/star', 'PUT', true],
    ['/graphql', 'POST', true],
    ['/graphql?query=1', 'POST', true],
    ['/graphql#x', 'POST', false],
    ['/graphql?a#/../x', 'POST', true],
    ['/repos/#/../../user', 'GET', false],
    ['/repos/a#', 'GET', false],
    ['/', 'GET', false],
    ['', 'GET', false],
    ['*', 'OPTIONS', false],
    ['http://api.github.com/repos/a', 'GET', false],
  ])('%s by %2$s', (path, method, allowed) => {
    expect(decide(strict(rule), get(path, method)).allowed).toBe(allowed)
  })

  it('say which line decided, and where it is written', () => {
    expect(decide(strict(rule), get('/repos/a'))).toEqual({
      allowed: true,
      intercept: true,
      place: 'moat.yaml:4:9',
      reason: 'rule',
      rule: 'allow GET /repos/**',
    })
    expect(decide(strict(rule), get('/user'))).toMatchObject({
      allowed: false,
      reason: 'no rule for this path',
      rule: 'api.github.com',
    })
  })

  it('allow in permissive what they do not name, and do not deny', () => {
    expect(decide(permissive(rule), get('/user'))).toMatchObject({ allowed: true, reason: 'permissive' })
    expect(decide(permissive(rule), get('/repos/secret'))).toMatchObject({ allowed: false })
  })

  it('have a tunnel opened, and no other', () => {
    expect(decide(strict(rule), at('api.github.com'))).toMatchObject({ allowed: true, intercept: true })
    expect(decide(strict(allow('a.test')), at('a.test'))).toMatchObject({ allowed: true, intercept: false })
    const alsoIntercept = (host: string, port: number) => host === 'a.test' && port === 443
    expect(decide(strict(allow('a.test')), at('A.test'), { alsoIntercept }).intercept).toBe(true)
    expect(decide(permissive(), at('a.test'), { alsoIntercept }).intercept).toBe(true)
    expect(decide(strict(), at('a.test'), { alsoIntercept })).toMatchObject({ allowed: false, intercept: false })
  })

  it.each([
    '/repos/secret',
    '/repos/secret/',
    '//repos///secret/x',
    '/repos/./secret/x',
    '/repos/x/../secret',
    '/repos/%73ecret',
    '/repos/%2573ecret',
    '/repos%2Fsecret/x',
    '/repos%252fsecret/x',
    '/repos%5Csecret',
    '/repos;a=b/secret',
    '/repos/secret;x',
    '/repos/secret%3Bx/y',
    '/repos/%2e%2e/repos/secret',
    '/repos/x/%2E%2E/secret',
    '/repos/x/..%2fsecret',
    '/repos/x%2f..%2fsecret',
    '/repos/x/%252e%252e/secret',
    '/repos/x/..;/secret',
    '/repos/x/..\\secret',
    '/repos/x/%c0%ae%c0%ae/secret',
    '/repos/secret%00',
    '/repos/secret\0',
    '/repos/secret%',
    '/repos/secret%2',
    '/repos//../secret',
    '/repos/#/../secret',
    '/repos/a#/../secret?x',
    '/repos/secret#',
  ])('deny %s whatever it stands for', (path) => {
    for (const policy of [strict(rule), permissive(rule)]) expect(decide(policy, get(path)).allowed).toBe(false)
  })

  it('refuse a path that hides where it leads', () => {
    for (const path of ['/repos/..%2fuser', '/repos/%252e%252e/user', '/repos/..;/user', '/repos/a%2F..%2F..%2Fuser'])
      expect(decide(permissive(rule), get(path))).toMatchObject({ allowed: false, reason: 'malformed request' })
  })

  it('without a method are those of any', () => {
    expect(decide(strict(rule), { host: 'api.github.com', path: '/graphql', port: 443 }).allowed).toBe(false)
    const denied = allow('api.github.com', { paths: [line('deny POST /x'), line('allow * /**')] })
    expect(decide(strict(denied), { host: 'api.github.com', path: '/x', port: 443 }).allowed).toBe(false)
    expect(decide(strict(denied), { host: 'api.github.com', path: '/y', port: 443 }).allowed).toBe(true)
  })

  it('match without taking long, whatever the pattern', () => {
    const rules = allow('api.github.com', { paths: [line(`allow * ${'/**/a'.repeat(100)}/b`)] })
    expect(decide(strict(rules), get('/a'.repeat(250))).allowed).toBe(false)
    // So many segments nobody has: that they are looked at at all would stop everybody else's requests.
    expect(decide(permissive(rules), get('/a'.repeat(5000)))).toMatchObject({ reason: 'malformed request' })
  })

  it('may be written with other characters, or encoded', () => {
    const rules = allow('api.github.com', { paths: [line('allow * /bücher/@a/%C3%A4')] })
    expect(decide(strict(rules), get('/b%C3%BCcher/%40a/%c3%a4')).allowed).toBe(true)
  })
})
