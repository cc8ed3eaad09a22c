// Owns what is put into requests: by header, query and Basic, what of the agent's own goes, and what is taken out of answers.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../../src/egress/decide.js'
import { effectivePolicy } from '../../../src/egress/effective-policy.js'
import type { NetworkRule } from '../../../src/egress/policy.js'
import { grantedHosts, grantRules, injectionsOf } from '../../../src/grants/grant.js'
import { placesOf } from '../../../src/grants/granted-places.js'
import {
  clashOf,
  formatGrant,
  type Injection,
  inject,
  mostTracesOf,
  parseGrant,
  replacedHeaders,
  tracesOf,
} from '../../../src/grants/injection.js'
import { sampleGrant } from './sample-grant.js'

const secret = { token: 'tök{en}-12345678' }
const injection = (place: Injection['place'], more: Partial<Injection> = {}): Injection => ({
  grant: 'a',
  hosts: ['a.test'],
  place,
  ports: [443],
  profile: 'default',
  remove: [],
  removeQuery: [],
  ...more,
})

it('fills in what the value is, once', () => {
  expect(inject(injection([{ kind: 'header', name: 'X-Key', value: 'Bearer {token}' }]), secret).headers).toEqual({
    'x-key': 'Bearer tök{en}-12345678',
  })
  expect(inject(injection([{ kind: 'query', name: 'key', value: '{token}' }]), { token: 'a {token} b' }).query).toEqual(
    {
      key: 'a {token} b',
    },
  )
  const basic = inject(injection([{ kind: 'basic', username: 'x-access-token' }]), { token: 'abc' }).headers
    .authorization
  expect(Buffer.from(basic?.slice(6) ?? '', 'base64').toString()).toBe('x-access-token:abc')
})

it('knows no fields but those of the value', () => {
  const one = injection([{ kind: 'header', name: 'a', value: '{constructor}{toString}{token}' }])
  expect(inject(one, { token: 'x' }).headers.a).toBe('{constructor}{toString}x')
})

it('replaces what the agent sends itself, whatever the case', () => {
  const one = injection([{ kind: 'header', name: 'X-Api-Key', value: '{token}' }], { remove: ['Authorization'] })
  expect(replacedHeaders(one)).toEqual(['authorization', 'x-api-key'])
  expect(replacedHeaders(injection([{ kind: 'basic', username: 'a' }]))).toEqual(['authorization'])
})

describe('traces', () => {
  const token = 'abc/def+ghi jkl-123'
  const basic = [{ kind: 'basic' as const, username: 'u' }]
  const small = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())

  it.each([
    ['itself', token],
    ['in hex', Buffer.from(token).toString('hex')],
    ['in hex, upper case', Buffer.from(token).toString('hex').toUpperCase()],
    ['for a URL', encodeURIComponent(token)],
    ['for a URL, in small letters', small(encodeURIComponent(token))],
    ['for a form', new URLSearchParams({ a: token }).toString()],
    ['for a form, in small letters', small(new URLSearchParams({ a: token }).toString())],
    ...['', 'u:', 'a', 'token=', 'four'].flatMap((before) =>
      (['base64', 'base64url'] as const).map((form): [string, string] => [
        `in ${form} after ${JSON.stringify(before)}`,
        Buffer.from(`${before}${token}!`).toString(form),
      ]),
    ),
  ])('are found %s', (_, text) => {
    const rest = tracesOf(injection(basic), { token }).reduce((left, trace) => left.replaceAll(trace, ''), text)
    expect(text.length - rest.length).toBeGreaterThan(token.length - 3)
  })

  it('are few, the longest first, and of what is used alone', () => {
    const traces = tracesOf(injection(basic), { other: 'not-sent-anywhere', token })
    expect(traces.map(({ length }) => length)).toEqual(traces.map(({ length }) => length).toSorted((a, b) => b - a))
    expect(traces.length).toBeLessThanOrEqual(mostTracesOf(injection(basic)))
    expect(traces.join()).not.toContain('not-sent')
  })

  it('are never more than Caddy is told of, whatever the value is', () => {
    const place = [
      { kind: 'header' as const, name: 'a', value: '{id}:{token}' },
      { kind: 'query' as const, name: 'b', value: '{token}' },
    ]
    expect(mostTracesOf(injection(place))).toBe(26)
    const odd = fc.string({ maxLength: 40, minLength: 6, unit: 'binary-ascii' })
    fc.assert(
      fc.property(odd, odd, (id, value) => {
        expect(tracesOf(injection(place), { id, token: value }).length).toBeLessThanOrEqual(26)
      }),
    )
  })

  it('are never so short that they would be found in anything', () => {
    for (const one of ['', 'a', 'abc'])
      expect(tracesOf(injection(basic), { token: one }).every(({ length }) => length >= 6)).toBe(true)
  })
})

it('names grants with their profile, the usual one without', () => {
  for (const name of [
    { name: 'github', profile: 'default' },
    { name: 'github', profile: 'work' },
  ])
    expect(parseGrant(formatGrant(name))).toEqual(name)
  expect(formatGrant({ name: 'github', profile: 'default' })).toBe('github')
})

describe('the policy', () => {
  const provider = {
    allow: ['*.cdn.test'],
    inject: [
      { basic: 'u', hosts: ['git.test'], paths: ['/*/*/info/refs'] },
      { headers: { A: '{token}' }, hosts: ['api.test', 'git.test'], paths: ['/api/**'], ports: [443, 8443] },
    ],
    name: 'p',
    title: 'P',
  }
  const grant = sampleGrant({ provider })

  it('allows hosts for what is needed there, each once, and others without a value', () => {
    const rules = grantRules(grant, 'strict')
    expect(rules.map(({ host, paths, port }) => [host, port, paths?.map(({ path }) => path)])).toEqual([
      ['git.test', 443, ['/*/*/info/refs', '/api/**']],
      ['api.test', 443, ['/api/**']],
      ['api.test', 8443, ['/api/**']],
      ['git.test', 8443, ['/api/**']],
      ['*.cdn.test', undefined, undefined],
    ])
    expect(rules[0]).toMatchObject({ effect: 'allow', place: 'grant my-api' })
  })

  it('lets what the user says win', () => {
    const deny = { effect: 'deny' as const, host: 'api.test', text: 'deny api.test' }
    const rules = [deny, ...grantRules(grant, 'strict')]
    const ask = (host: string, path: string) =>
      decide({ policy: 'strict', rules }, { host, method: 'GET', path, port: 443 }).allowed
    expect(ask('api.test', '/api/x')).toBe(false)
    expect([ask('git.test', '/a/b/info/refs'), ask('git.test', '/other'), ask('x.cdn.test', '/')]).toEqual([
      true,
      false,
      true,
    ])
  })

  it('has the hosts opened that get a value, and no others, whatever allows them', () => {
    const openedUnder = (mode: 'permissive' | 'strict', written: NetworkRule[]) => {
      const rules = [...written, ...grantRules(grant, mode)]
      const policy = effectivePolicy({ host: [], peers: [], policy: mode, rules }, [])
      return (host: string, port = 443) => decide(policy, { host, port }).intercept
    }
    const allow = (host: string): NetworkRule => ({ effect: 'allow', host, text: host })
    for (const open of [
      openedUnder('permissive', []),
      openedUnder('strict', []),
      openedUnder('strict', [allow('*'), allow('git.test')]),
      openedUnder('permissive', [
        { ...allow('git.test'), port: 443, paths: [{ effect: 'deny', method: '*', path: '/x' }] },
      ]),
    ]) {
      expect([open('git.test'), open('GIT.test.'), open('api.test', 8443)]).toEqual([true, true, true])
      expect([open('x.cdn.test'), open('git.test', 80), open('agit.test')]).toEqual([false, false, false])
    }
    expect(openedUnder('permissive', [{ ...allow('git.test'), effect: 'deny' }])('git.test')).toBe(false)
  })

  it('takes nothing away where all is allowed', () => {
    const policy = { host: [], peers: [], policy: 'permissive' as const, rules: grantRules(grant, 'permissive') }
    expect(decide(policy, { host: 'git.test', method: 'GET', path: '/anything', port: 443 }).allowed).toBe(true)
    expect(policy.rules.every(({ paths }) => paths !== undefined)).toBe(true)
  })

  it('asks for values where there may be some, in one place for hosts that are alike', () => {
    expect(placesOf(injectionsOf(grant))).toEqual([
      {
        grant: 'my-api',
        headers: ['a', 'authorization'],
        hosts: ['git.test'],
        ports: [443],
        query: [],
        remove: [],
        removeQuery: [],
        traces: 13,
      },
      {
        grant: 'my-api',
        headers: ['a'],
        hosts: ['api.test'],
        ports: [443],
        query: [],
        remove: [],
        removeQuery: [],
        traces: 13,
      },
      {
        grant: 'my-api',
        headers: ['a'],
        hosts: ['api.test', 'git.test'],
        ports: [8443],
        query: [],
        remove: [],
        removeQuery: [],
        traces: 13,
      },
    ])
  })
})

it('finds two grants for one place', () => {
  const other = injection([], { grant: 'b', hosts: ['x.test', 'a.test'] })
  expect(clashOf([injection([]), other])).toMatchObject({ host: 'a.test' })
  expect(clashOf([injection([]), injection([])])).toBeUndefined()
  expect(clashOf([injection([]), { ...other, ports: [8443] }])).toBeUndefined()
  expect(clashOf([injection([]), injection([], { profile: 'work' })])).toBeDefined()
})

it('is made of what was granted, rule by rule', () => {
  const grant = sampleGrant()
  expect(injectionsOf(grant)).toEqual([
    {
      grant: 'my-api',
      hosts: ['api.my.test'],
      place: [{ kind: 'header', name: 'X-Api-Key', value: '{token}' }],
      ports: [443],
      profile: 'default',
      remove: [],
      removeQuery: [],
    },
  ])
  const { provider } = grant
  const ported = { ...provider, inject: [...provider.inject, { hosts: ['b.test'], ports: [8443] }] }
  expect(grantedHosts(ported)).toEqual(['api.my.test', 'b.test:8443'])
})
