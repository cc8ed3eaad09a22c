// Owns the ids of repositories: every form of URL git accepts, and what must never get into a path.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { localId, remoteId } from '../../../src/worktrees/repository-id.js'

describe('remoteId', () => {
  it.each([
    ['https://github.com/ann/app.git', 'github.com/ann/app'],
    ['https://github.com/ann/app', 'github.com/ann/app'],
    ['https://github.com/ann/app/', 'github.com/ann/app'],
    ['https://github.com/ann/app.git/', 'github.com/ann/app'],
    ['HTTPS://GitHub.com/Ann/App.git', 'github.com/Ann/App'],
    ['https://ann:s3cret@github.com/ann/app.git', 'github.com/ann/app'],
    ['https://ghp_token@github.com/ann/app.git', 'github.com/ann/app'],
    ['https://a@b:c@github.com/ann/app.git', 'github.com/ann/app'],
    ['https://git.example.com:8443/ann/app.git', 'git.example.com/ann/app'],
    ['https://gitlab.com/group/sub/sub2/app.git', 'gitlab.com/group/sub/sub2/app'],
    ['https://github.com//ann//app.git', 'github.com/ann/app'],
    ['https://github.com/ann/app.git?access_token=s3cret', 'github.com/ann/app'],
    ['https://github.com/ann/app#s3cret', 'github.com/ann/app'],
    ['https://dev.azure.com/org/My%20Project/_git/repo', 'dev.azure.com/org/My-Project/_git/repo'],
    ['http://localhost:3000/ann/app.git', 'localhost/ann/app'],
    ['ssh://git@github.com/ann/app.git', 'github.com/ann/app'],
    ['ssh://git@ssh.github.com:443/ann/app.git', 'ssh.github.com/ann/app'],
    ['ssh://git@example.com/~ann/app.git', 'example.com/~ann/app'],
    ['git+ssh://git@example.com/ann/app.git', 'example.com/ann/app'],
    ['git://example.com/ann/app.git', 'example.com/ann/app'],
    ['ftp://example.com/ann/app.git', 'example.com/ann/app'],
    ['git@github.com:ann/app.git', 'github.com/ann/app'],
    ['ann:s3cret@github.com:ann/app.git', 'github.com/ann/app'],
    ['github.com:ann/app.git', 'github.com/ann/app'],
    ['git@github.com:/ann/app.git', 'github.com/ann/app'],
    ['git@gitlab.com:group/sub/app.git', 'gitlab.com/group/sub/app'],
    ['git@example.com:~ann/app.git', 'example.com/~ann/app'],
    ['[git@example.com:2222]:ann/app.git', 'example.com/ann/app'],
    ['git@[example.com:2222]:ann/app.git', 'example.com/ann/app'],
    ['[example.com:2222]:ann/app.git', 'example.com/ann/app'],
    ['ssh://git@[2001:db8::1]:22/ann/app.git', '2001-db8--1/ann/app'],
    ['git@[2001:db8::1]:ann/app.git', '2001-db8--1/ann/app'],
    ['myserver:app.git', 'myserver/app'],
    ['git@github.com:owner/.github.git', 'github.com/owner/.github'],
  ])('of %s is %s', (url, id) => expect(remoteId(url)).toBe(id))

  it.each([
    '/srv/git/app.git',
    '../app.git',
    './a:b/app.git',
    'file:///srv/git/app.git',
    'file://server/git/app.git',
    'C:\\src\\app',
    'C:/src/app',
    'ext::ssh -i key git@example.com %S ann/app',
    'codecommit::eu-west-1://app',
    'https://github.com/',
    'https://github.com/../../etc',
    'https://github.com/ann/..',
    'https://github.com/ann/%2e%2e/%2e%2e/app',
    'https://github.com/ann/..%2f..%2fapp',
    'git@github.com:../../etc/passwd',
    'https://../ann/app',
    'https://_local/app-12345678',
    // A password with a slash ends the host as git sees it; what follows must not be shown.
    'https://ann:pa/ss@github.com/ann/app.git',
    'https://github.com/ann/a%00b',
    'https://github.com/ann/%zz',
    `https://github.com/ann/${'a'.repeat(300)}`,
    '',
  ])('is none for %j', (url) => expect(remoteId(url)).toBeUndefined())

  it('is always a path of plain parts below the directory it is joined to', () => {
    const piece = fc.constantFrom(
      '..',
      '.',
      '/',
      '//',
      ':',
      '@',
      '%2e',
      '\\',
      'a',
      '.git',
      '?',
      '#',
      ' ',
      '[',
      ']',
      'ü',
      '\n',
      '-',
      '_local',
    )
    const scheme = fc.constantFrom('', 'https://', 'ssh://', 'git@', 'git://', 'x::')
    fc.assert(
      fc.property(scheme, fc.array(piece, { maxLength: 12 }), (start, pieces) => {
        const id = remoteId(start + pieces.join(''))
        if (id === undefined) return
        const parts = id.split('/')
        expect(parts.length).toBeGreaterThan(1)
        expect(parts[0]).not.toBe('_local')
        for (const part of parts) expect(part).toMatch(/^(?!\.{1,2}$)[\p{L}\p{N}._~+-]+$/u)
      }),
      { numRuns: 2000 },
    )
  })

  it('never holds a user or a password', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9!$&*+=:@/._-]{1,12}$/).map((text) => `s3cret${text}s3cret`)
    const user = fc.constantFrom('ann', 's3cret')
    fc.assert(
      fc.property(user, secret, fc.constantFrom('https', 'ssh', 'git'), (name, password, scheme) => {
        expect(remoteId(`${scheme}://${name}:${password}@example.com/ann/app.git`) ?? '').not.toContain('s3cret')
      }),
    )
  })
})

describe('localId', () => {
  it.each([
    ['/home/ann/my app/.git', /^_local\/my-app-[0-9a-f]{8}$/],
    ['/srv/git/app.git', /^_local\/app-[0-9a-f]{8}$/],
    ['/.git', /^_local\/repository-[0-9a-f]{8}$/],
  ])('of %s is its directory and a hash', (commonDir, id) => expect(localId(commonDir)).toMatch(id))

  it('differs between directories of one name', () => {
    expect(localId('/a/app/.git')).not.toBe(localId('/b/app/.git'))
    expect(localId('/a/app/.git')).toBe(localId('/a/app/.git'))
  })
})
