import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isDrawable, isLively } from '../../../src/terminal/drawable.js'
import { terminalProgress } from '../../../src/terminal/progress.js'

const terminal = { columns: 80, isTTY: true }

describe('a terminal', () => {
  it.each([
    ['is one', terminal, { TERM: 'xterm' }, true, true],
    ['of a CI', terminal, { CI: '1', TERM: 'xterm' }, true, false],
    ['of a CI that says true', terminal, { CI: 'true', TERM: 'xterm' }, true, false],
    ['with CI=false', terminal, { CI: 'false', TERM: 'xterm' }, true, true],
    ['that is dumb', terminal, { TERM: 'dumb' }, false, false],
    ['of Emacs', terminal, { TERM: 'emacs-color' }, false, false],
    ['without a kind', terminal, {}, false, false],
    ['of no columns', { columns: 0, isTTY: true }, { TERM: 'xterm' }, false, false],
    ['that is none', {}, { TERM: 'xterm' }, false, false],
  ])('%s', (_, stream, env, drawable, lively) => {
    expect([isDrawable(stream, env, 'linux'), isLively(stream, env, 'linux')]).toEqual([drawable, lively])
  })

  it('of Windows has no kind', () => {
    expect(isLively(terminal, {}, 'win32')).toBe(true)
  })
})

describe('progress', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  const shown = async (stream: object) => {
    const output = Object.assign(new PassThrough(), stream) as unknown as NodeJS.WriteStream & PassThrough
    await terminalProgress(output).step('Starting app', async (tell) => tell('part'))
    return String(output.read())
  }

  it.each([{ TERM: 'dumb' }, { CI: '1', TERM: 'xterm' }, { TERM: '' }])('moves no cursor with %o', async (env) => {
    for (const [name, value] of Object.entries({ CI: '', ...env })) vi.stubEnv(name, value)
    expect(await shown(terminal)).toBe('Starting app\n')
  })

  it('moves none on a terminal of no columns', async () => {
    vi.stubEnv('CI', '')
    vi.stubEnv('TERM', 'xterm')
    expect(await shown({ columns: 0, isTTY: true })).toBe('Starting app\n')
  })
})
