import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'moat-lock-'))
afterAll(() => rmSync(directory, { force: true, recursive: true }))

// The supervisor takes its lock for life and keeps nothing of it: whatever holds it must survive that.
it('is held although nobody refers to it any more', async () => {
  const module = JSON.stringify(resolve('src/processes/file-lock.ts'))
  const path = JSON.stringify(join(directory, 'a.lock'))
  const program = `
    const { takeFileLock } = await import(${module})
    await takeFileLock(${path})
    for (let round = 0; round < 5; round += 1) {
      gc()
      await new Promise((resolve) => setImmediate(resolve))
    }
    console.log((await takeFileLock(${path})) === undefined)`
  const { stderr, stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--experimental-strip-types',
    '--input-type=module',
    '--eval',
    program,
  ])
  expect([stdout, stderr.includes('garbage collection')]).toEqual(['true\n', false])
})
