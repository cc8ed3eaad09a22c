// Owns values: where they are read from, for how long they are remembered, and that no error has one in it.
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { GrantSource } from '../../../src/grants/grant.js'
import { Grants } from '../../../src/grants/grants.js'
import { parseReference, parseValue, readValue } from '../../../src/grants/read-value.js'
import { removeGrant, writeGrant } from '../../../src/grants/store.js'
import { ValueCache } from '../../../src/grants/value-cache.js'
import { caught } from '../config/caught.js'
import { temporaryDirectory } from '../config/temp-directory.js'
import { sampleGrant } from './sample-grant.js'

const from = (source: GrantSource) => sampleGrant({ source })
const command = (text: string) => from({ command: text, kind: 'command' })
const env = { PATH: process.env.PATH, VAR: 'from-the-variable' }

describe('a value is read', () => {
  it('from a variable, a command, a file and what is stored', async () => {
    const file = join(await temporaryDirectory(), 'token')
    await writeFile(file, 'from-the-file\n')
    const sources: [GrantSource, string][] = [
      [{ kind: 'env', variable: 'VAR' }, 'from-the-variable'],
      [{ command: 'echo "from-the-command"', kind: 'command' }, 'from-the-command'],
      [{ kind: 'file', path: file }, 'from-the-file'],
      [{ fields: { token: 'stored' }, kind: 'value' }, 'stored'],
    ]
    for (const [source, token] of sources) expect((await readValue(from(source), { env })).secret.token).toBe(token)
  })

  it('by op, for what 1Password has', async () => {
    const directory = await temporaryDirectory()
    await writeFile(
      join(directory, 'op'),
      '#!/bin/sh\n[ "$*" = "read --no-newline op://dev/api/key" ] && printf from-op\n',
    )
    await chmod(join(directory, 'op'), 0o755)
    const grant = from({ kind: 'op', reference: 'op://dev/api/key' })
    const { secret } = await readValue(grant, { env: { PATH: `${directory}:${process.env.PATH}` } })
    expect(secret.token).toBe('from-op')
    expect(await caught(() => readValue(grant, { env: { PATH: '/nowhere' } }))).toMatchObject({
      code: 'GRANT_VALUE',
      message: expect.stringContaining('there is no program op here'),
    })
  })

  it('of JSON with fields and an end', async () => {
    const text = '{"access_token":"abc","expires_in":60,"Other":"x","n":1}'
    const { expiresAt, secret } = parseValue(text, 'it')
    expect(secret).toEqual({ Other: 'x', access_token: 'abc', token: 'abc' })
    expect(Math.abs((expiresAt ?? 0) - Date.now() - 60_000)).toBeLessThan(30_000)
    expect(parseValue('{"token":"a","Expiration":"2026-01-01T00:00:00Z"}', 'it').expiresAt).toBe(Date.UTC(2026, 0, 1))
  })

  const bad: [string, GrantSource, RegExp][] = [
    ['is not set', { kind: 'env', variable: 'NO_SUCH' }, /NO_SUCH is not set here/],
    [
      'comes of a command that fails',
      { command: 'echo hidden-1; echo no key >&2; exit 3', kind: 'command' },
      /failed \(no key\)/,
    ],
    ['is what a command does not print', { command: 'echo', kind: 'command' }, /its command printed nothing/],
    ['has two lines', { command: 'printf "hidden-1\\nX-More: 1"', kind: 'command' }, /several lines/],
    ['is too long', { command: 'yes hidden-1', kind: 'command' }, /more than 64 KiB/],
    ['is a directory', { kind: 'file', path: '/tmp' }, /cannot be read/],
    ['is not there', { kind: 'file', path: '/no/such' }, /cannot be read \(no such file/],
  ]
  it.each(bad)('and is refused when it %s, without being shown', async (_, source, reason) => {
    const error = await caught(() => readValue(from(source), { env }))
    expect(error).toMatchObject({ code: 'GRANT_VALUE', message: expect.stringMatching(reason) })
    expect(error.message).not.toContain('hidden')
  })

  it('within a time, and what was started then ends', async () => {
    const error = await caught(() => readValue(command('sleep 600 & sleep 600'), { env, timeout: 100 }))
    expect(error).toMatchObject({ message: expect.stringContaining('did not end within 0.1 s') })
  })
})

it('knows references by their scheme', () => {
  expect(parseReference('env://A_B')).toEqual({ kind: 'env', variable: 'A_B' })
  expect(parseReference('file:///a/b')).toEqual({ kind: 'file', path: '/a/b' })
  expect(parseReference('op://a/b/c')).toEqual({ kind: 'op', reference: 'op://a/b/c' })
  for (const text of ['file://a', 'file://./a', 'file://', 'env://', 'env://A-B', 'http://a', 'plain', ''])
    expect(parseReference(text)).toBeUndefined()
})

describe('what was asked for', () => {
  const grant = command('op')
  function cache(answers: (() => { expiresAt?: number; token: string })[]) {
    const clock = { asked: 0, time: 1_000_000 }
    const read = async () => {
      const { token, ...rest } = (answers[clock.asked++] ?? answers.at(-1))?.() ?? { token: '' }
      return { ...rest, secret: { token } }
    }
    return { clock, values: new ValueCache({ now: () => clock.time, read }) }
  }

  it('is remembered for a while, and asked for once by many', async () => {
    const { clock, values } = cache([() => ({ token: 'a' }), () => ({ token: 'b' })])
    const all = await Promise.all([values.valueOf(grant), values.valueOf(grant), values.valueOf(grant)])
    expect([all.map(({ token }) => token), clock.asked]).toEqual([['a', 'a', 'a'], 1])
    clock.time += 4 * 60_000
    expect((await values.valueOf(grant)).token).toBe('a')
    clock.time += 2 * 60_000
    expect((await values.valueOf(grant)).token).toBe('b')
  })

  it('is asked for anew before its end', async () => {
    const { clock, values } = cache([() => ({ expiresAt: 1_060_000, token: 'a' }), () => ({ token: 'b' })])
    await values.valueOf(grant)
    clock.time += 31_000
    expect((await values.valueOf(grant)).token).toBe('b')
  })

  it('is asked for anew once a service refuses it, but not for each refusal', async () => {
    const { clock, values } = cache([() => ({ token: 'a' }), () => ({ token: 'b' })])
    await values.valueOf(grant)
    values.forget(grant)
    expect((await values.valueOf(grant)).token).toBe('a')
    clock.time += 11_000
    values.forget(grant)
    expect((await values.valueOf(grant)).token).toBe('b')
  })

  it('is asked for anew when the grant is another', async () => {
    const { values } = cache([() => ({ token: 'a' }), () => ({ token: 'b' })])
    await values.valueOf(grant)
    expect((await values.valueOf(command('other'))).token).toBe('b')
  })

  it('is not asked for again at once when that failed', async () => {
    const fail = () => {
      throw new Error('no')
    }
    const { clock, values } = cache([fail, () => ({ token: 'b' })])
    await expect(values.valueOf(grant)).rejects.toThrow('no')
    await expect(values.valueOf(grant)).rejects.toThrow('no')
    clock.time += 11_000
    expect((await values.valueOf(grant)).token).toBe('b')
  })
})

describe('for a request', () => {
  const question = { grant: 'my-api', host: 'api.my.test', path: '/x?y', port: 443 }

  it('the store is asked each time: what is revoked or changed counts at once', async () => {
    const paths = { grants: join(await temporaryDirectory(), 'grants') }
    const options = { open: async () => undefined }
    const grants = new Grants(paths)
    await writeGrant(paths.grants, sampleGrant(), options)
    expect(await grants.secretsFor(question)).toMatchObject({ headers: { 'x-api-key': 'sesame-open-1234' } })
    await writeGrant(paths.grants, from({ fields: { token: 'rotated-value' }, kind: 'value' }), options)
    expect(await grants.secretsFor(question)).toMatchObject({ headers: { 'x-api-key': 'rotated-value' } })
    // Granted anew for another host: the proxy's config still has the old one.
    const { provider } = sampleGrant()
    const moved = { ...provider, inject: [{ headers: { 'X-Api-Key': '{token}' }, hosts: ['other.test'] }] }
    await writeGrant(paths.grants, sampleGrant({ provider: moved }), options)
    expect(await grants.secretsFor(question)).toBeUndefined()
    await removeGrant(paths.grants, sampleGrant())
    expect(await grants.secretsFor({ ...question, host: 'other.test' })).toBeUndefined()
    expect(await grants.placesOf(['my-api'])).toEqual([])
  })

  it('nothing is given elsewhere, at another port, for another path, to another profile', async () => {
    const paths = { grants: join(await temporaryDirectory(), 'grants') }
    const { provider } = sampleGrant()
    const inject = [{ ...provider.inject[0], hosts: ['api.my.test'], paths: ['/v1/**'] }]
    await writeGrant(paths.grants, sampleGrant({ provider: { ...provider, inject } }), { open: async () => undefined })
    const grants = new Grants(paths)
    const good = { ...question, path: '/v1/me?x=/../y' }
    expect(await grants.secretsFor(good)).toBeDefined()
    expect(await grants.secretsFor({ ...good, host: 'API.my.test' })).toBeDefined()
    const others = [
      { ...good, host: 'api.my.test.evil.test' },
      { ...good, host: 'my.test' },
      { ...good, port: 8443 },
      { ...good, path: '/v2/me' },
      { ...good, path: '/v1/../v2' },
      { ...good, path: '/v1/%2e%2e/v2' },
      { ...good, path: '/v1/..%2fv2' },
      { ...good, grant: 'my-api@work' },
      { ...good, grant: 'other' },
    ]
    for (const one of others) expect([one, await grants.secretsFor(one)]).toEqual([one, undefined])
  })

  it('what goes into a query stands where the place has it, however the host is written', async () => {
    const paths = { grants: join(await temporaryDirectory(), 'grants') }
    const { provider } = sampleGrant()
    const inject = ['one', 'two'].map((name) => ({
      hosts: ['api.my.test'],
      paths: [`/${name}`],
      query: { [name]: '{token}' },
    }))
    await writeGrant(paths.grants, sampleGrant({ provider: { ...provider, inject } }), { open: async () => undefined })
    const grants = new Grants(paths)
    for (const host of ['api.my.test', 'API.my.test'])
      expect(await grants.secretsFor({ ...question, host, path: '/two' })).toMatchObject({
        query: ['', 'sesame-open-1234'],
      })
  })

  it('a broken grant is told of, and hides no other', async () => {
    const paths = { grants: join(await temporaryDirectory(), 'grants') }
    await writeGrant(paths.grants, sampleGrant(), { open: async () => undefined })
    await writeGrant(paths.grants, sampleGrant({ name: 'bad' }), { open: async () => undefined })
    await writeFile(join(paths.grants, 'default', 'bad.grant'), 'spoilt')
    const errors: unknown[] = []
    const places = await new Grants(paths).placesOf(['bad', 'my-api', '../x'], (error) => errors.push(error))
    expect(places.map(({ grant }) => grant)).toEqual(['my-api'])
    expect(errors).toHaveLength(2)
    await expect(new Grants(paths).secretsFor({ ...question, grant: 'bad' })).rejects.toMatchObject({
      code: 'GRANTS_BROKEN',
    })
  })

  it('what the command complains of is for who runs it, and not for what the proxy writes down', async () => {
    const paths = { grants: join(await temporaryDirectory(), 'grants') }
    const grant = command('echo "> Authorization: hidden-1" >&2; exit 1')
    await writeGrant(paths.grants, grant, { open: async () => undefined })
    const error = await caught(() => new Grants(paths).secretsFor(question))
    expect(error).toMatchObject({ code: 'GRANT_VALUE', message: expect.stringContaining('its command failed') })
    expect(error.message).not.toContain('hidden')
    expect((await caught(() => readValue(grant, { env }))).message).toContain('hidden-1')
  })
})
