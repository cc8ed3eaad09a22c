// Owns where it is noted which agents are held, and that nobody else's notes are believed.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Holds, holdsDirectory } from '../../../src/engine/holds.js'

const id = 'a'.repeat(64)
let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'moat-holds-'))
})
afterEach(() => rmSync(home, { recursive: true }))

it('is in the home of the user, and elsewhere where there is none', () => {
  expect(holdsDirectory(home)).toBe(join(home, '.moat', 'holds'))
  expect(holdsDirectory(join(home, 'absent'))).toBe(join(tmpdir(), `moat-holds-${process.getuid?.()}`))
})

it('believes only what lies in a directory that this user alone can write', async () => {
  const directory = join(home, 'holds')
  const holds = new Holds(directory)
  expect(await holds.all()).toEqual([])
  mkdirSync(directory, { mode: 0o700 })
  await holds.add({ address: 'unix:///engine', containerId: id })
  writeFileSync(join(directory, 'something.hold'), 'unix:///engine')
  expect(await holds.all()).toMatchObject([{ address: 'unix:///engine', containerId: id }])
  symlinkSync(directory, join(home, 'link'))
  expect(await new Holds(join(home, 'link')).all()).toEqual([])
  chmodSync(directory, 0o777)
  expect(await holds.all()).toEqual([])
  await expect(holds.lock(0)).rejects.toMatchObject({ code: 'FORBIDDEN' })
})
