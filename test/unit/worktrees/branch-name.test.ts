// Owns the names runs get from branches: valid, distinct, and the same every time.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isDnsLabel } from '../../../src/routing/dns-label.js'
import { branchRunName, isBranchName } from '../../../src/worktrees/branch-name.js'
import { label } from '../routing/arbitraries.js'

const long = 'a'.repeat(80)

describe('branchRunName', () => {
  // Written out: a name that changes takes a URL somebody has bookmarked with it.
  it.each([
    [undefined, 'main', 'main'],
    ['my-app', 'main', 'my-app-main'],
    ['my-app', 'dark-mode', 'my-app-dark-mode'],
    ['my-app', 'feature/auth', 'my-app-feature-auth-9d414c'],
    [undefined, 'feature/auth', 'feature-auth-8b36ab'],
    [undefined, 'feature-auth', 'feature-auth'],
    [undefined, 'Fix_UI', 'fix-ui-c7f95e'],
    [undefined, 'fix-ui', 'fix-ui'],
    [undefined, '\u00FCn\u00EFcode', 'unicode-4ed976'],
    [undefined, '\u65E5\u672C', 'branch-9f4bce'],
    [undefined, 'v1.2', 'v1-2-754587'],
    [undefined, long, `${'a'.repeat(56)}-b8f83a`],
    ['my-app', long, `my-app-${'a'.repeat(49)}-51ad8f`],
  ])('of %s and %s is %s', (name, branch, expected) => expect(branchRunName(name, branch)).toBe(expected))

  it('tells a branch from one that is named like its label', () => {
    expect(branchRunName(undefined, branchRunName(undefined, 'feature/auth'))).not.toBe(
      branchRunName(undefined, 'feature/auth'),
    )
  })

  const branch = fc
    .array(fc.constantFrom('a', 'b', 'A', '/', '-', '_', '.', '\u00E9', '\u65E5', '0', long), {
      maxLength: 10,
      minLength: 1,
    })
    .map((parts) => parts.join(''))
    .filter(isBranchName)

  it('is a DNS label, whatever the name and the branch', () => {
    fc.assert(
      fc.property(fc.option(label, { nil: undefined }), branch, (name, text) => {
        const runName = branchRunName(name, text)
        expect(isDnsLabel(runName)).toBe(true)
        expect(branchRunName(name, text)).toBe(runName)
      }),
      { numRuns: 1000 },
    )
  })

  it('is another one for another branch', () => {
    fc.assert(
      fc.property(fc.option(label, { nil: undefined }), branch, branch, (name, one, other) => {
        if (one !== other) expect(branchRunName(name, one)).not.toBe(branchRunName(name, other))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('isBranchName', () => {
  it.each([
    ['main', true],
    ['feature/auth', true],
    ['Fix_UI', true],
    ['\u00FCn\u00EFcode', true],
    ['a-', true],
    ["it's", true],
    ['', false],
    ['@', false],
    ['HEAD', false],
    ['-b', false],
    ['--upload-pack=x', false],
    ['/a', false],
    ['a/', false],
    ['a//b', false],
    ['a..b', false],
    ['../x', false],
    ['a/.b', false],
    ['a.lock', false],
    ['a.lock/b', false],
    ['a.', false],
    ['a b', false],
    ['a~1', false],
    ['a^', false],
    ['a:b', false],
    ['a?', false],
    ['a*', false],
    ['a[', false],
    ['a\\b', false],
    ['a@{1}', false],
    ['a\nb', false],
    ['a\u001B[31m', false],
    ['a\u009Bm', false],
  ])('%j is %s', (name, valid) => expect(isBranchName(name)).toBe(valid))
})
