// Which checksum a server announces, in the forms there are.
import { describe, expect, it } from 'vitest'
import { announcedDigest } from '../../../src/caddy/announced-digest.js'

const hex = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
const base64 = Buffer.from(hex, 'hex').toString('base64')

describe('announcedDigest', () => {
  it.each([
    [{ 'repr-digest': `sha-256=:${base64}:` }, { algorithm: 'sha256', base64 }],
    [{ 'repr-digest': `md5=:AAAA:, sha-256=:${base64}:` }, { algorithm: 'sha256', base64 }],
    [{ 'repr-digest': `sha-256=:${base64}:, sha-512=:BBBB:` }, { algorithm: 'sha512', base64: 'BBBB' }],
    [{ 'x-checksum-sha256': hex.toUpperCase() }, { algorithm: 'sha256', base64 }],
    [{ 'repr-digest': 'md5=:AAAA:' }, undefined],
    [{}, undefined],
  ])('%j', (headers, digest) => {
    expect(announcedDigest(headers)).toEqual(digest)
  })
})
