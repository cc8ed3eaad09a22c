// Owns the files approvals are kept in: what they hold, and that nobody else's are believed.
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Power } from '../../../src/approvals/power.js'
import { addApprovals, listApprovals, readApprovals, revokeApprovals } from '../../../src/approvals/records.js'
import { caught } from '../config/caught.js'
import { temporaryDirectory } from '../config/temp-directory.js'

const hook: Power = { key: 'hooks', name: 'hooks.pre_run', value: 'npm ci' }
const image: Power = { key: 'base_image', name: 'base_image', value: 'a:1' }
let home: string
let directory: string

beforeEach(async () => {
  home = await temporaryDirectory()
  directory = join(home, 'approvals')
})

const files = async () => (await readdir(directory)).map((name) => join(directory, name))
const recorded = async (place: string) =>
  (await readApprovals(directory, place))?.powers.map(({ key, name, value }) => ({ key, name, value }))

it('keeps what was approved by workspace, for this user alone', async () => {
  expect(await readApprovals(directory, '/a')).toBeUndefined()
  await addApprovals(directory, '/a', [hook])
  await addApprovals(directory, '/a', [hook, image])
  await addApprovals(directory, '/b', [image])
  expect(await recorded('/a')).toEqual([hook, image])
  expect((await listApprovals(directory)).map(({ path }) => path)).toEqual(['/a', '/b'])
  const modes = await Promise.all([directory, ...(await files())].map(async (path) => (await lstat(path)).mode & 0o777))
  expect(modes).toEqual([0o700, 0o600, 0o600])
})

it('forgets one that is revoked', async () => {
  expect(await revokeApprovals(directory, '/a')).toBe(false)
  await addApprovals(directory, '/a', [hook])
  await addApprovals(directory, '/b', [hook])
  expect(await revokeApprovals(directory, '/a')).toBe(true)
  expect(await readApprovals(directory, '/a')).toBeUndefined()
  expect(await recorded('/b')).toEqual([hook])
})

describe('refuses and names', () => {
  const spoil: [string, (file: string) => Promise<unknown>, RegExp][] = [
    ['a record that is cut off', (file) => writeFile(file, '{"path": "/a'), /is not what moat wrote/],
    ['an empty one', (file) => writeFile(file, ''), /is not what moat wrote/],
    ['one with more in it', (file) => writeFile(file, '{"path":"/a","powers":[],"version":1,"x":1}'), /not what moat/],
    ['one of a later version', (file) => writeFile(file, '{"path":"/a","powers":[],"version":2}'), /not what moat/],
    ['one of another workspace', (file) => writeFile(file, '{"path":"/b","powers":[],"version":1}'), /workspace, \/b/],
    ['one that others can write', (file) => chmod(file, 0o606), /other users can reach it \(mode 606\)/],
    ['a link', (file) => rename(file, `${file}.x`).then(() => symlink(`${file}.x`, file)), /is a symbolic link/],
    ['a directory in its place', (file) => rename(file, `${file}.x`).then(() => mkdir(file)), /is not what moat wrote/],
  ]
  it.each(spoil)('%s', async (_, change, reason) => {
    await addApprovals(directory, '/a', [hook])
    const [file = ''] = await files()
    await change(file)
    for (const action of [
      () => readApprovals(directory, '/a'),
      () => listApprovals(directory),
      () => addApprovals(directory, '/a', [image]),
    ]) {
      const error = await caught(action)
      expect([error.code, error.message]).toEqual(['APPROVALS_BROKEN', expect.stringMatching(reason)])
      expect(error.message).toContain(file)
    }
  })

  it('a directory that is a link, that others can reach, or that is none', async () => {
    await mkdir(join(home, 'elsewhere'), { mode: 0o700 })
    await symlink('elsewhere', directory)
    expect((await caught(() => readApprovals(directory, '/a'))).message).toMatch(/approvals .* symbolic link\.$/)
    expect((await caught(() => addApprovals(directory, '/a', [hook]))).code).toBe('APPROVALS_BROKEN')
    expect((await caught(() => revokeApprovals(directory, '/a'))).code).toBe('APPROVALS_BROKEN')
    await rename(directory, `${directory}.x`)
    await mkdir(directory)
    await chmod(directory, 0o755)
    const open = await caught(() => readApprovals(directory, '/a'))
    expect(open.suggestions).toEqual([`chmod 700 ${directory}`])
    await rename(directory, `${directory}.y`)
    await writeFile(directory, '')
    expect((await caught(() => readApprovals(directory, '/a'))).message).toMatch(/not a directory/)
  })

  it.runIf(process.geteuid?.() === 0)('what belongs to another user', async () => {
    await addApprovals(directory, '/a', [hook])
    const [file = ''] = await files()
    await chown(file, 65_534, 65_534)
    expect((await caught(() => readApprovals(directory, '/a'))).message).toMatch(/belongs to another user/)
    await chown(directory, 65_534, 65_534)
    expect((await caught(() => readApprovals(directory, '/b'))).message).toMatch(/belongs to another user/)
  })
})

it('revokes a record that cannot be read', async () => {
  await addApprovals(directory, '/a', [hook])
  const [file = ''] = await files()
  await writeFile(file, 'nonsense')
  expect(await revokeApprovals(directory, '/a')).toBe(true)
  expect(await readFile(file).catch(() => 'gone')).toBe('gone')
})
