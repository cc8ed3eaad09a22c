import { describe, expect, it } from 'vitest'
import { assertNoFile, homeProblem } from '../../../src/config/home-problem.js'
import { MoatError } from '../../../src/errors.js'

const home = '/nonexistent/.moat'
const failure = (code: string, errno: number, path?: string) =>
  Object.assign(new Error(`${code}: open`), { code, errno, ...(path !== undefined && { path }) })

describe('a problem of ~/.moat', () => {
  it('is a sentence that names the reason, and a command', () => {
    expect(homeProblem(failure('ENOSPC', -28), home)).toMatchObject({
      code: 'HOME_UNUSABLE',
      message: 'moat cannot use /nonexistent/.moat: no space left on device.',
      suggestions: [expect.stringMatching(/^df -h \/nonexistent\/\.moat /), expect.any(String)],
    })
    expect(homeProblem(failure('EACCES', -13, `${home}/proxy/spawn.lock`), home)).toMatchObject({
      message: 'moat cannot use /nonexistent/.moat/proxy/spawn.lock: permission denied.',
    })
  })

  it('is nothing that is about other files, nor an error that says more', () => {
    expect(homeProblem(failure('EACCES', -13, '/etc/shadow'), home)).toBeUndefined()
    expect(homeProblem(failure('ECONNREFUSED', -111), home)).toBeUndefined()
    expect(homeProblem(new MoatError('CA_BROKEN', 'broken'), home)).toBeUndefined()
  })

  it.runIf(process.platform === 'linux')('is said of what the kernel makes up before anything is tried there', () => {
    for (const path of ['/proc/moat', '/proc/self/a/b', '/sys/moat', '/dev/null/moat'])
      expect(() => assertNoFile(path)).toThrow(expect.objectContaining({ code: 'HOME_UNUSABLE' }))
    expect(() => assertNoFile('/proc/moat')).toThrow('it lies in a file system that the kernel makes up')
    for (const path of ['/nonexistent/.moat', '/tmp']) expect(() => assertNoFile(path)).not.toThrow()
  })
})
