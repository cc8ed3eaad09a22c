// Owns the files grants are kept in: that nothing of them can be read there, and that nobody else's, or another's, are believed.
import { readFileSync } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Keychain } from '../../../src/grants/keychain.js'
import { grantNames, listGrants, readGrant, removeGrant, writeGrant } from '../../../src/grants/store.js'
import { ensureKey, readKey } from '../../../src/grants/store-key.js'
import { caught } from '../config/caught.js'
import { temporaryDirectory } from '../config/temp-directory.js'
import { sampleGrant } from './sample-grant.js'

const none = { open: async () => undefined }
const keyIsInFile = () => 'key' in JSON.parse(readFileSync(join(directory, 'key.json'), 'utf8'))
const grant = sampleGrant()
const work = sampleGrant({ profile: 'work', source: { fields: { token: 'other-value-5678' }, kind: 'value' } })
let directory: string
let file: string

beforeEach(async () => {
  directory = join(await temporaryDirectory(), 'grants')
  file = join(directory, 'default', 'my-api.grant')
})

async function allBytes(): Promise<string> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return (await Promise.all(files.map((path) => readFile(path, 'latin1')))).join('\n')
}

it('keeps a grant by name and profile, for this user alone, and nothing of it can be read', async () => {
  expect(await readGrant(directory, grant)).toBeUndefined()
  await writeGrant(directory, grant, none)
  await writeGrant(directory, work, none)
  expect(await readGrant(directory, grant)).toEqual(grant)
  expect(await readGrant(directory, work)).toEqual(work)
  expect((await listGrants(directory, 'work')).grants).toEqual([work])
  expect((await grantNames(directory)).map(({ profile }) => profile)).toEqual(['default', 'work'])
  const paths = [directory, join(directory, 'default'), file, join(directory, 'key.json')]
  expect(await Promise.all(paths.map(async (path) => (await lstat(path)).mode & 0o777))).toEqual([
    0o700, 0o700, 0o600, 0o600,
  ])
  const text = await allBytes()
  const value = Buffer.from('sesame-open-1234')
  for (const form of ['sesame', 'api.my.test', value.toString('base64').slice(0, 16), value.toString('hex')])
    expect(text).not.toContain(form)
})

it('encrypts the same grant otherwise each time', async () => {
  await writeGrant(directory, grant, none)
  const first = await readFile(file, 'utf8')
  await writeGrant(directory, grant, none)
  expect(await readFile(file, 'utf8')).not.toBe(first)
})

it('forgets one that is removed, also one that cannot be read', async () => {
  expect(await removeGrant(directory, grant)).toBe(false)
  await writeGrant(directory, grant, none)
  await writeFile(file, 'spoilt')
  expect(await removeGrant(directory, grant)).toBe(true)
  expect(await grantNames(directory)).toEqual([])
})

it.each(['../key', 'a/b', '', '..', 'A'])('takes %j for no name of a grant', async (name) => {
  await writeGrant(directory, grant, none)
  expect(await caught(() => readGrant(directory, { name, profile: 'default' }))).toMatchObject({
    code: 'GRANTS_BROKEN',
  })
  expect(await caught(() => removeGrant(directory, { name: 'my-api', profile: name }))).toMatchObject({
    code: 'GRANTS_BROKEN',
  })
})

describe('refuses and names', () => {
  const spoil: [string, () => Promise<unknown>, RegExp][] = [
    [
      'a file that is cut off',
      async () => writeFile(file, (await readFile(file, 'utf8')).slice(0, 60)),
      /is not what moat wrote/,
    ],
    [
      'one with a bit changed',
      async () => writeFile(file, flip(await readFile(file, 'utf8'))),
      /is not what moat wrote/,
    ],
    ['an empty one', () => writeFile(file, ''), /is not what moat wrote/],
    [
      'that of another profile',
      () => copyFile(join(directory, 'work', 'my-api.grant'), file),
      /is not what moat wrote for/,
    ],
    ['one that others can read', () => chmod(file, 0o644), /other users can reach it \(mode 644\)/],
    ['a link', () => rename(file, `${file}.x`).then(() => symlink(`${file}.x`, file)), /is a symbolic link/],
    ['a directory in its place', () => rename(file, `${file}.x`).then(() => mkdir(file)), /is not what moat wrote/],
    ['one in a directory of everybody', () => chmod(directory, 0o777), /other users can reach it \(mode 777\)/],
    ['one in a profile of everybody', () => chmod(join(directory, 'default'), 0o770), /other users can reach it/],
    ['one whose key is gone', () => rename(join(directory, 'key.json'), join(directory, 'x')), /the key .* is gone/],
    ['one of another key', () => newKey(), /is not what moat wrote/],
    [
      'one with a broken key',
      () => writeFile(join(directory, 'key.json'), '{"version":1,"key":"AA=="}'),
      /no key of 32 bytes/,
    ],
    [
      'one with a key of everybody',
      () => chmod(join(directory, 'key.json'), 0o604),
      /key.json .*other users can reach it/,
    ],
  ]
  it.each(spoil)('%s', async (_, change, reason) => {
    await writeGrant(directory, grant, none)
    await writeGrant(directory, work, none)
    await change()
    const error = await caught(() => readGrant(directory, grant))
    expect(error).toMatchObject({ code: 'GRANTS_BROKEN', message: expect.stringMatching(reason) })
    expect(error.suggestions.length).toBeGreaterThan(0)
    expect(error.message).not.toContain('sesame')
  })

  it('one of several, and shows the others', async () => {
    await writeGrant(directory, grant, none)
    await writeGrant(directory, work, none)
    await writeFile(file, 'spoilt')
    const { broken, grants } = await listGrants(directory)
    expect(grants).toEqual([work])
    expect(broken.map(({ name }) => name)).toEqual([{ name: 'my-api', profile: 'default' }])
  })

  async function newKey(): Promise<void> {
    await rename(join(directory, 'key.json'), join(directory, 'old'))
    await ensureKey(directory, none)
  }
})

describe('the key', () => {
  const texts = new Map<string, string>()
  const keychain: Keychain = {
    get: async (account) => texts.get(account) ?? null,
    remove: async (account) => texts.delete(account),
    set: async (account, text) => {
      texts.set(account, text)
      return true
    },
  }
  beforeEach(() => texts.clear())

  it('is in the keychain where there is one, and in no file', async () => {
    const notes: string[] = []
    const key = await ensureKey(directory, { note: (line) => notes.push(line), open: async () => keychain })
    expect(notes).toEqual([])
    expect([...texts.values()]).toEqual([key.toString('base64')])
    expect(await allBytes()).not.toContain(key.toString('base64'))
    expect(await readKey(directory, { open: async () => keychain })).toEqual(key)
    expect(keyIsInFile()).toBe(false)
  })

  it('is in a file where there is none, which is said once', async () => {
    const notes: string[] = []
    const note = (line: string) => notes.push(line)
    const key = await ensureKey(directory, { ...none, note })
    expect(await ensureKey(directory, { ...none, note })).toEqual(key)
    expect(notes).toEqual([expect.stringContaining('key.json, which only you can read')])
    expect(keyIsInFile()).toBe(true)
  })

  it('is in a file where the keychain does not keep what it is given', async () => {
    await ensureKey(directory, { open: async () => ({ ...keychain, set: async () => false }) })
    expect(keyIsInFile()).toBe(true)
  })

  it('is the same for all who make it at once, and the others leave nothing in the keychain', async () => {
    const options = { open: async () => keychain }
    const keys = await Promise.all(Array.from({ length: 5 }, () => ensureKey(directory, options)))
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
    expect(texts.size).toBe(1)
    expect((await readdir(directory)).toSorted()).toEqual(['key.json'])
  })

  it.each([
    ['cannot be reached', async () => undefined],
    ['has lost it', async () => ({ ...keychain, get: async () => null })],
    ['is locked', async () => ({ ...keychain, get: () => Promise.reject(new Error('it is locked')) })],
  ])('is not made anew when the keychain %s', async (_, open) => {
    await ensureKey(directory, { open: async () => keychain })
    expect(await caught(() => ensureKey(directory, { open }))).toMatchObject({ code: 'GRANTS_BROKEN' })
    expect(keyIsInFile()).toBe(false)
  })
})

function flip(text: string): string {
  const at = text.length - 10
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}
