// Owns what is put into requests: by header, query and Basic, what of the agent's own goes, and what is taken out of answers.
import { describe, expect, it } from 'vitest'
import { grantedHosts, injectionsOf } from '../../../src/grants/grant.js'
import {
  clashOf,
  formatGrant,
  type Injection,
  inject,
  networkRulesOf,
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
  it('are all forms in which a server may send it back, the longest first', () => {
    const token = 'abc/def+ghi jkl'
    const traces = tracesOf(injection([{ kind: 'basic', username: 'u' }]), { token })
    const bytes = Buffer.from(token)
    for (const form of [
      token,
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('base64url'),
      encodeURIComponent(token),
      Buffer.from(`u:${token}`).toString('base64').replace(/=+$/, ''),
    ])
      expect(traces.some((trace) => form.includes(trace) || trace === form)).toBe(true)
    expect(traces.map(({ length }) => length)).toEqual(traces.map(({ length }) => length).toSorted((a, b) => b - a))
  })

  it('are never so short that they would be found in anything', () => {
    for (const token of ['', 'a', 'abc']) {
      const traces = tracesOf(injection([{ kind: 'query', name: 'k', value: '{token}' }]), { token })
      expect(traces.every(({ length }) => length >= 6)).toBe(true)
    }
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
  const git = injection([], { hosts: ['git.test'], paths: ['/*/*/info/refs'] })
  const api = injection([], { hosts: ['api.test', 'git.test'], paths: ['/api/**'], ports: [443, 8443] })

  it('allows hosts for what is needed there, each once', () => {
    const rules = networkRulesOf([git, api], 'strict')
    expect(rules.map(({ host, paths, port }) => [host, port, paths?.map(({ path }) => path)])).toEqual([
      ['git.test', 443, ['/*/*/info/refs', '/api/**']],
      ['api.test', 443, ['/api/**']],
      ['api.test', 8443, ['/api/**']],
      ['git.test', 8443, ['/api/**']],
    ])
    expect(rules[0]).toMatchObject({ effect: 'allow', place: 'grant a' })
  })

  it('takes nothing away where all is allowed, and still has hosts opened', () => {
    const [rule] = networkRulesOf([git], 'permissive')
    expect(rule?.paths?.at(-1)).toEqual({ effect: 'allow', method: '*', path: '/**' })
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
