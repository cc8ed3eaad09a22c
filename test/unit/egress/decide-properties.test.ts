// Owns that what is denied stays denied and what is not allowed stays so, in whatever way hosts and paths are written: tens of
// thousands of them, made by a seed.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../../src/egress/decide.js'
import { effectivePolicy } from '../../../src/egress/effective-policy.js'
import type {
  Effect,
  EgressRequest,
  NetworkPolicy,
  NetworkRule,
  PathRule,
  PolicyMode,
} from '../../../src/egress/policy.js'

const seeded = { numRuns: 10_000, seed: 17 }
/** On a machine that is busy with others. Milliseconds. */
const patience = 60_000

function policyOf(policy: PolicyMode, ...rules: NetworkRule[]): NetworkPolicy {
  return { host: [], peers: [], policy, rules }
}

function withPaths(policy: PolicyMode, ...paths: PathRule[]): NetworkPolicy {
  return policyOf(policy, { effect: 'allow', host: 'a.test', paths, text: 'a.test' })
}

const everything: PathRule = { effect: 'allow', method: '*', path: '/**' }
const get = (path: string) => ({ host: 'a.test', method: 'GET', path, port: 443 })

const segment = fc.stringMatching(/^[a-c@~:]{1,3}$/)
const segments = fc.array(segment, { maxLength: 4, minLength: 1 })
/** Picks for one writing of a path, used up in turn. */
const choices = fc.array(fc.nat(11), { maxLength: 60, minLength: 60 })

/** A writing of the path that every server, or a careless one, takes for the same. */
function disguise(parts: readonly string[], picks: readonly number[]): string {
  let next = 0
  const pick = () => picks[next++ % picks.length] ?? 0
  const character = (one: string) => {
    const code = one.charCodeAt(0).toString(16)
    const choice = pick()
    if (choice < 6) return one
    if (choice < 8) return `%${code}`
    return choice < 10 ? `%${code.toUpperCase()}` : `%25${code}`
  }
  const noise = ['', '', '', '', '/', './', 'x/../', '//', './/./', '%2e/', 'y/%2E./', '']
  const separators = ['/', '/', '/', '/', '/', '/', '//', '/./', '%2F', '%2f', '%252F', '%5C']
  const ends = ['', '', '', '', '', '', '/', '/.', '?q=1', ';p=1', '/?a=/../b', '#/..']
  const text = parts.map((part) => [...part].map(character).join(''))
  const [first = '', ...rest] = text
  return `/${noise[pick()]}${first}${rest.map((part) => `${separators[pick()]}${part}`).join('')}${ends[pick()]}`
}

/** Whatever a client may send. */
const anyPath = fc
  .array(
    fc.constantFrom(
      ...[
        '/',
        '/',
        '/',
        'a',
        'b',
        'secret',
        '.',
        '..',
        '%2e',
        '%2E%2e',
        '%2f',
        '%5c',
        '\\',
        ';',
        '%',
        '%25',
        '%00',
        '?',
        '#',
        '*',
      ],
      ...['%252e', '%c0%ae', 'é', ' ', '\0', '%61', '@', '..;', '%3b'],
    ),
    { maxLength: 14 },
  )
  .map((parts) => `/${parts.join('')}`)

/** All that a server of some kind may take a path for: each rule of reading is used or not. */
function readings(path: string): string[] {
  const decode = (text: string) =>
    text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const question = path.replace(/\?.*$/s, '')
  // With what stands behind `#`, and without: HTTP has none, so servers differ.
  const decoded = [question, path.replace(/[?#].*$/s, '')].flatMap((raw) => [raw, decode(raw), decode(decode(raw))])
  const slashed = decoded.flatMap((text) => [text, text.replaceAll('\\', '/')])
  const plain = slashed.flatMap((text) => [text, text.replace(/;[^/]*/g, '')])
  return plain.flatMap((text) => [resolve(text, true), resolve(text, false)])
}

function resolve(text: string, mergeSlashes: boolean): string {
  const parts: string[] = []
  for (const part of text.split('/').slice(1)) {
    if (part === '..') parts.pop()
    else if (part !== '.' && (part !== '' || !mergeSlashes)) parts.push(part)
  }
  return `/${parts.filter((part) => part !== '').join('/')}`
}

/** Rules about a few hosts that are below one another, at a few ports. */
const anyRule = fc
  .record({
    effect: fc.constantFrom<Effect>('allow', 'deny'),
    host: fc.constantFrom('*', '*.test', '*.a.test', 'a.test', 'x.a.test', 'y.a.test', 'y.x.a.test', '10.0.0.1'),
    paths: fc.option(
      fc.array(
        fc.record({
          effect: fc.constantFrom<Effect>('allow', 'deny'),
          method: fc.constantFrom('*', 'GET', 'POST'),
          path: fc.constantFrom('/**', '/u', '/v/**'),
        }),
        { maxLength: 2, minLength: 1 },
      ),
      { nil: undefined },
    ),
    port: fc.option(fc.constantFrom(80, 443, 8443), { freq: 1, nil: undefined }),
  })
  .map(({ paths, port, ...rule }): NetworkRule => {
    const own = { ...(paths && { paths }), ...(port !== undefined && { port }) }
    return { ...rule, ...(paths && { effect: 'allow' as const }), ...own, text: rule.host }
  })
const anyRules = fc.array(anyRule, { maxLength: 5 })
const anyRequest = fc.record({
  host: fc.constantFrom('b.test', 'a.test', 'x.a.test', 'y.a.test', 'y.x.a.test', 'z.x.a.test', '10.0.0.1', 'other'),
  method: fc.constantFrom('GET', 'POST', 'DELETE'),
  path: fc.constantFrom('/u', '/v/w', '/secret'),
  port: fc.constantFrom(80, 443, 8443),
})

const anyText = fc.string({ unit: fc.nat(0x2_4ff).map((code) => String.fromCodePoint(code)) })

describe('a path', { timeout: patience }, () => {
  it('that is denied is denied in every writing', () => {
    fc.assert(
      fc.property(segments, choices, fc.constantFrom<PolicyMode>('strict', 'permissive'), (parts, picks, mode) => {
        const policy = withPaths(mode, { effect: 'deny', method: '*', path: `/${parts.join('/')}/**` }, everything)
        expect(decide(policy, get(disguise(parts, picks))).allowed).toBe(false)
      }),
      seeded,
    )
  })

  it('that is allowed leads nowhere that is denied, whoever reads it', () => {
    const policy = withPaths('permissive', { effect: 'deny', method: '*', path: '/secret/**' })
    let allowed = 0
    fc.assert(
      fc.property(anyPath, (path) => {
        if (!decide(policy, get(path)).allowed) return
        allowed += 1
        expect(readings(path).filter((reading) => /^\/secret(\/|$)/.test(reading))).toEqual([])
      }),
      seeded,
    )
    // Else the property would say nothing.
    expect(allowed).toBeGreaterThan(500)
  })

  it('leads out of what is allowed in no reading, but for encoded slashes, which are characters', () => {
    const policy = withPaths('strict', { effect: 'allow', method: 'GET', path: '/a/**' })
    let allowed = 0
    fc.assert(
      fc.property(anyPath, (path) => {
        if (!decide(policy, get(`/a${path}`)).allowed) return
        allowed += 1
        expect(readings(`/a${path}`).filter((reading) => !/^\/a(\/|$)/.test(reading))).toEqual([])
      }),
      seeded,
    )
    expect(allowed).toBeGreaterThan(500)
  })

  it('is matched as a regular expression of the same meaning would', () => {
    const pattern = fc.array(fc.constantFrom('a', 'b', '*', '**'), { maxLength: 5 })
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 })
    fc.assert(
      fc.property(pattern, path, (parts, asked) => {
        const source = parts
          .map((part) => (part === '**' ? '(/[^/]+)*' : part === '*' ? '/[^/]+' : `/${part}`))
          .join('')
        const policy = withPaths('strict', { effect: 'allow', method: '*', path: `/${parts.join('/')}` })
        const expected = new RegExp(`^${source}$`).test(asked.map((one) => `/${one}`).join(''))
        expect(decide(policy, get(`/${asked.join('/')}`)).allowed).toBe(expected)
      }),
      seeded,
    )
  })
})

describe('a host', { timeout: patience }, () => {
  const label = fc.stringMatching(/^[a-z0-9]{1,4}$/)
  const name = fc.array(label, { maxLength: 3, minLength: 1 }).map((labels) => [...labels, 'test'].join('.'))

  it('that is denied is denied in every writing, and at every port', () => {
    fc.assert(
      fc.property(name, choices, fc.integer({ max: 65_535, min: 1 }), (host, picks, port) => {
        const policy = policyOf(
          'permissive',
          { effect: 'deny', host, text: host },
          { effect: 'allow', host: '*', text: '*' },
        )
        const wide = (one: string) => (/[a-z]/.test(one) ? String.fromCharCode(one.charCodeAt(0) + 0xfee0) : one)
        const written = [...host].map((one, index) => {
          const pick = picks[index % picks.length] ?? 0
          return pick < 4 ? one : pick < 8 ? one.toUpperCase() : pick < 10 ? wide(one) : one === '.' ? '。' : one
        })
        const asked = `${written.join('')}${(picks[59] ?? 0) > 5 ? '.' : ''}`
        expect(decide(policy, { host: asked, port }).allowed).toBe(false)
      }),
      seeded,
    )
  })

  it('is below another one exactly when it ends so', () => {
    fc.assert(
      fc.property(name, name, fc.boolean(), (host, other, below) => {
        const asked = below ? `${other}.${host}` : other
        const policy = policyOf('strict', { effect: 'allow', host: `*.${host}`, text: '' })
        expect(decide(policy, { host: asked, port: 443 }).allowed).toBe(asked.endsWith(`.${host}`))
      }),
      seeded,
    )
  })

  it('of any text at all is judged, and in strict without rules refused', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.double(), (host, path, port) => {
        const verdict = decide(policyOf('strict'), { host, method: path, path, port })
        expect(verdict.allowed || verdict.intercept).toBe(false)
        decide(withPaths('strict', everything), { host: 'a.test', method: 'GET', path, port: 443 })
      }),
      { ...seeded, numRuns: 2000 },
    )
  })
})

describe('a live rule', { timeout: patience }, () => {
  const modes = fc.constantFrom<PolicyMode>('strict', 'permissive')
  /** By the lines of the last rule that is about it, or else as before. */
  const judge = (policy: NetworkPolicy, live: NetworkRule, request: EgressRequest) => {
    const lines = decide(policyOf('strict', live), request)
    return lines.reason === 'rule' ? lines.allowed : decide(policy, request).allowed
  }

  it('that denies never turns what was refused into what is allowed, nor opens a tunnel to it', () => {
    fc.assert(
      fc.property(modes, anyRules, anyRule, anyRequest, (mode, rules, one, request) => {
        const paths = one.paths?.map((path) => ({ ...path, effect: 'deny' as const }))
        const live: NetworkRule = { ...one, effect: paths ? 'allow' : 'deny', ...(paths && { paths }) }
        const before = policyOf(mode, ...rules)
        const after = effectivePolicy(before, [live])
        const { host, port } = request
        for (const asked of [request, { host, port }]) {
          if (!decide(before, asked).allowed) expect(decide(after, asked).allowed).toBe(false)
        }
      }),
      seeded,
    )
  })

  it('about paths decides of what it names, and of nothing else', () => {
    let changed = 0
    fc.assert(
      fc.property(modes, anyRules, fc.array(anyRule, { maxLength: 2 }), anyRequest, (mode, rules, live, request) => {
        let policy = policyOf(mode, ...rules)
        for (const rule of live.filter(({ paths }) => paths)) {
          const expected = judge(policy, rule, request)
          if (expected !== decide(policy, request).allowed) changed += 1
          policy = effectivePolicy(policy, [rule])
          expect(decide(policy, request).allowed).toBe(expected)
        }
      }),
      seeded,
    )
    expect(changed).toBeGreaterThan(200)
  })
})
