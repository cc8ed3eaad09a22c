// The key by which moat knows its own containers: made once, whoever asks first, and refused when it may not be its own.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureSealKey, readSealKey } from '../../../src/engine/seal-key.js'
import { asOrdinaryUser } from '../config/as-user.js'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-key-'))
  file = join(directory, 'proxy/seal.key')
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

const put = (content: Buffer | string, mode = 0o600) => {
  mkdirSync(join(directory, 'proxy'))
  writeFileSync(file, content)
  chmodSync(file, mode)
}

describe('the key', () => {
  it('is not made by looking for it', async () => {
    expect(await readSealKey(file)).toBeUndefined()
    expect(readdirSync(directory)).toEqual([])
  })

  it('is made once, for this user alone, however many ask at the same time', async () => {
    const keys = await Promise.all(Array.from({ length: 30 }, () => ensureSealKey(file)))
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
    expect(keys[0]).toHaveLength(32)
    expect(keys[0]).not.toEqual(Buffer.alloc(32))
    expect(await readSealKey(file)).toEqual(keys[0])
    expect(lstatSync(file).mode & 0o777).toBe(0o600)
    expect(lstatSync(join(directory, 'proxy')).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(directory, 'proxy'))).toEqual(['seal.key'])
  })

  it('is for this user alone under any umask', async () => {
    const before = process.umask(0)
    try {
      await ensureSealKey(file)
    } finally {
      process.umask(before)
    }
    expect(lstatSync(file).mode & 0o777).toBe(0o600)
  })

  const refusals: [string, () => void, string, string][] = [
    [
      'other users can read',
      () => put(Buffer.alloc(32), 0o640),
      'can be reached by other users (mode 640)',
      'chmod 600',
    ],
    ['others can write', () => put(Buffer.alloc(32), 0o602), 'can be reached by other users (mode 602)', 'chmod 600'],
    ['is too short', () => put(Buffer.alloc(31)), 'does not have 32 bytes', 'rm '],
    ['is too long', () => put(Buffer.alloc(33)), 'does not have 32 bytes', 'rm '],
    ['is empty', () => put(''), 'does not have 32 bytes', 'rm '],
    ['is a directory', () => mkdirSync(file, { recursive: true }), 'is not a file', 'rm -r '],
    [
      'is a pipe',
      () => {
        mkdirSync(join(directory, 'proxy'))
        execFileSync('mkfifo', ['-m', '600', file])
      },
      'is not a file',
      'rm -r ',
    ],
    [
      'is a link',
      () => {
        mkdirSync(join(directory, 'proxy'))
        writeFileSync(join(directory, 'elsewhere'), Buffer.alloc(32), { mode: 0o600 })
        symlinkSync(join(directory, 'elsewhere'), file)
      },
      'is a symbolic link',
      'rm ',
    ],
  ]
  it.each(refusals)('that %s is refused, by name and with what to do', async (_, make, reason, command) => {
    make()
    for (const ask of [readSealKey, ensureSealKey]) {
      await expect(ask(file)).rejects.toMatchObject({
        code: 'SEAL_KEY',
        message: `The key by which moat knows its own containers, ${file}, ${reason}.`,
        suggestions: expect.arrayContaining([expect.stringContaining(`${command}`)]),
      })
    }
  })

  it('belongs to the user on whose behalf moat acts, as under sudo; root does not take it for its own', async () => {
    if (process.geteuid?.() === 0) chownSync(directory, 65_534, 65_534)
    const made = await asOrdinaryUser(() => ensureSealKey(file))
    const owner = lstatSync(file).uid
    expect(owner).toBe(process.geteuid?.() === 0 ? 65_534 : process.geteuid?.())
    expect(await readSealKey(file, { uid: owner })).toEqual(made)
  })

  it('of root is refused to a user who cannot read it', async () => {
    put(Buffer.alloc(32))
    chmodSync(directory, 0o755)
    const owner = lstatSync(file).uid
    const asked = asOrdinaryUser(() => readSealKey(file, { uid: owner + 1 }))
    await expect(asked).rejects.toMatchObject({ suggestions: [`sudo chown ${owner + 1} ${file}`] })
  })

  it('of another user is refused', async () => {
    put(Buffer.alloc(32))
    await expect(readSealKey(file, { uid: 4_321 })).rejects.toMatchObject({
      message: expect.stringContaining('belongs to another user (uid '),
      suggestions: [`sudo chown 4321 ${file}`],
    })
  })
})
