// Owns what holds for an agent once rules were added while it runs.
import { describe, expect, it } from 'vitest'
import { decide } from '../../../src/egress/decide.js'
import { effectivePolicy, isOpen, openNetwork } from '../../../src/egress/effective-policy.js'
import type { NetworkPolicy, NetworkRule } from '../../../src/egress/policy.js'
import { rulesOfText } from '../../../src/egress/rules-of-text.js'

function rules(...texts: string[]): NetworkRule[] {
  return texts.flatMap((text) => {
    const [effect = '', ...words] = text.split(' ')
    const read = rulesOfText(words.join(' '), effect as NetworkRule['effect'], 'live')
    if (typeof read === 'string') throw new Error(read)
    return read
  })
}

function strict(...texts: string[]): NetworkPolicy {
  return { ...openNetwork, policy: 'strict', rules: rules(...texts) }
}

const get = (host: string, path: string, port = 443) => ({ host, method: 'GET', path, port })

describe('live rules', () => {
  it('come before all others, the newest first', () => {
    const policy = effectivePolicy(strict('deny a.test'), rules('allow a.test', 'allow b.test', 'deny b.test'))
    expect(decide(policy, get('a.test', '/')).allowed).toBe(true)
    expect(decide(policy, get('b.test', '/')).allowed).toBe(false)
  })

  it('hold for an agent about which nothing was said', () => {
    const policy = effectivePolicy(undefined, rules('deny a.test'))
    expect(policy.policy).toBe('permissive')
    expect(decide(policy, get('a.test', '/')).allowed).toBe(false)
    expect(isOpen(policy)).toBe(false)
    expect(isOpen(openNetwork)).toBe(true)
  })

  it('about a path leave the rest of the host as it was', () => {
    const before = strict('allow *.github.com', 'allow plain.test')
    const policy = effectivePolicy(before, rules('deny api.github.com POST /x', 'deny api.github.com GET /secret/**'))
    expect(decide(policy, get('api.github.com', '/secret/a'))).toMatchObject({
      allowed: false,
      place: 'live',
      rule: 'deny GET /secret/**',
    })
    expect(decide(policy, { ...get('api.github.com', '/x'), method: 'POST' }).allowed).toBe(false)
    expect(decide(policy, get('api.github.com', '/x')).allowed).toBe(true)
    expect(decide(policy, get('www.github.com', '/secret/a'))).toMatchObject({ allowed: true, intercept: false })
  })

  it('about a path open only that of a host that was closed, and only where they are about', () => {
    const policy = effectivePolicy(strict('deny a.test'), rules('allow a.test GET /x/**'))
    expect(decide(policy, get('a.test', '/x')).allowed).toBe(true)
    expect(decide(policy, get('a.test', '/y')).allowed).toBe(false)
    expect(decide(policy, get('a.test', '/x', 8080)).allowed).toBe(false)
  })

  it('about a path keep apart what the ports of the host had', () => {
    const policy = effectivePolicy(strict('allow a.test:443', 'deny a.test'), rules('deny a.test GET /x'))
    expect(decide(policy, get('a.test', '/y')).allowed).toBe(true)
    expect(decide(policy, get('a.test', '/y', 80)).allowed).toBe(false)
    expect(decide(policy, get('a.test', '/x')).allowed).toBe(false)
  })

  it('about a path of a pattern leave what is denied and what is narrower below it', () => {
    const before = strict('deny admin.a.test', 'allow api.a.test GET /x', 'allow *.a.test', 'allow late.a.test GET /x')
    const policy = effectivePolicy(before, rules('deny *.a.test DELETE /**'))
    const verdict = (host: string, method: string, path: string) =>
      decide(policy, { host, method, path, port: 443 }).allowed
    expect(verdict('admin.a.test', 'GET', '/secret')).toBe(false)
    expect(decide(policy, { host: 'admin.a.test', port: 443 })).toMatchObject({ allowed: false, intercept: false })
    expect(verdict('api.a.test', 'GET', '/x')).toBe(true)
    expect(verdict('api.a.test', 'POST', '/y')).toBe(false)
    expect(verdict('late.a.test', 'POST', '/y')).toBe(true)
    expect(verdict('x.a.test', 'GET', '/')).toBe(true)
    for (const host of ['api.a.test', 'x.a.test', 'x.x.a.test']) expect(verdict(host, 'DELETE', '/x')).toBe(false)
    const open = { ...before, policy: 'permissive' as const, rules: rules('deny tracking.test', 'allow 10.0.0.1') }
    const later = effectivePolicy(open, rules('deny * POST /u'))
    expect(decide(later, get('tracking.test', '/')).allowed).toBe(false)
    expect(decide(later, { ...get('10.0.0.1', '/u', 80), method: 'POST' }).allowed).toBe(false)
    expect(decide(later, get('10.0.0.1', '/', 80)).allowed).toBe(true)
  })

  it('may be a preset', () => {
    const policy = effectivePolicy(strict(), rules('allow preset:npm'))
    expect(decide(policy, get('registry.npmjs.org', '/'))).toMatchObject({ allowed: true, place: 'live, preset npm' })
    expect(rulesOfText('preset:nmp', 'allow', 'live')).toContain('did you mean preset:npm?')
    expect(decide(effectivePolicy(strict(), rules('deny preset:npm')), get('registry.npmjs.org', '/')).allowed).toBe(
      false,
    )
  })
})
