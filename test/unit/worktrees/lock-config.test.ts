// Owns that a repository's config is written whole, under a lock that a dead moat does not keep.
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { readProcess } from '../../../src/processes/process-facts.js'
import { changeConfig } from '../../../src/worktrees/git.js'
import { repositoryAt } from '../../../src/worktrees/git-place.js'
import { lockConfig } from '../../../src/worktrees/lock-config.js'
import { caught } from '../config/caught.js'
import { temporaryDirectory } from '../config/temp-directory.js'

let file: string
let lock: string

beforeEach(async () => {
  const directory = await temporaryDirectory()
  file = join(directory, 'config')
  lock = `${file}.lock`
  writeFileSync(file, '[core]\n\tbare = true\n[branch "long"]\n\tremote = origin\n')
  await mkdir(join(directory, 'home/git'), { recursive: true })
  vi.stubEnv('MOAT_HOME', join(directory, 'home'))
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
})

const change = (...changes: string[][]) => changeConfig(repositoryAt(join(file, '..')), changes)

it('makes all changes or none, longer and shorter', async () => {
  await change(['branch.x.remote', 'origin'], ['branch.x.merge', 'refs/heads/x'])
  expect(readFileSync(file, 'utf8')).toContain('[branch "x"]\n\tremote = origin\n\tmerge = refs/heads/x\n')
  const before = readFileSync(file, 'utf8')
  expect(await caught(() => change(['branch.y.remote', 'origin'], ['no-key', 'x']))).toMatchObject({
    code: 'GIT_FAILED',
  })
  expect(readFileSync(file, 'utf8')).toBe(before)
  await change(['--remove-section', 'branch.long'], ['--remove-section', 'branch.x'])
  expect(readFileSync(file, 'utf8')).toBe('[core]\n\tbare = true\n')
  expect(existsSync(lock)).toBe(false)
})

it('takes away the lock of a moat that is gone', async () => {
  const { startedAt = 0 } = (await readProcess(process.pid)) ?? {}
  writeFileSync(lock, `moat ${process.pid} ${startedAt - 1} ${hostname()}\n`)
  await change(['branch.x.remote', 'origin'])
  expect(readFileSync(file, 'utf8')).toContain('[branch "x"]')
  expect(existsSync(lock)).toBe(false)
})

it("leaves git's own, another machine's, and that of a moat at work", async () => {
  for (const text of ['', `moat ${process.pid} 1 another-host\n`]) {
    writeFileSync(lock, text)
    expect(await caught(() => change(['branch.x.remote', 'origin']))).toMatchObject({ code: 'GIT_FAILED' })
    expect(readFileSync(lock, 'utf8')).toBe(text)
  }
  await rm(lock)
  const release = await lockConfig(file)
  expect(await caught(() => change(['branch.x.remote', 'origin']))).toMatchObject({ code: 'GIT_FAILED' })
  await release()
  symlinkSync(file, lock)
  expect(await caught(() => change(['branch.x.remote', 'origin']))).toMatchObject({ code: 'GIT_FAILED' })
  expect(readFileSync(file, 'utf8')).not.toContain('branch "x"')
})
