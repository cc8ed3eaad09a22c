// Checks that go wrong themselves, and how findings are printed.
import { describe, expect, it } from 'vitest'
import { moatPaths } from '../../../src/config/paths.js'
import { type Check, type DoctorContext, diagnose, fail, isHealthy, ok, warn } from '../../../src/doctor/diagnosis.js'
import { MoatError } from '../../../src/errors.js'
import { formatDiagnosis } from '../../../src/terminal/format-diagnosis.js'

const context: DoctorContext = {
  connectEngine: () => Promise.reject(new Error('not asked')),
  env: {},
  paths: moatPaths({ MOAT_HOME: '/nonexistent' }),
  platform: 'linux',
  proxy: async () => undefined,
  wanted: async () => ({ domain: 'localhost', explicit: false, port: 8080, source: 'default' }),
}

const check = (name: string, find: Check['find']): Check => ({ find, name })

describe('diagnose', () => {
  it('makes a line of a check that throws or never ends, and keeps the others', async () => {
    const known = new MoatError('ENGINE_UNREACHABLE', 'No engine.', { suggestions: ['docker info'] })
    const checks = [
      check('throws', () => Promise.reject(new Error('broken'))),
      check('knows', () => Promise.reject(known)),
      check('hangs', () => new Promise(() => {})),
      check('works', async () => [ok('works', 'Fine.')]),
    ]
    expect(await diagnose(checks, context, 50)).toEqual([
      { check: 'throws', fixes: [], message: 'broken', status: 'fail' },
      { check: 'knows', fixes: ['docker info'], message: 'No engine.', status: 'fail' },
      { check: 'hangs', fixes: [], message: 'The check did not end within 0.05 s.', status: 'fail' },
      { check: 'works', fixes: [], message: 'Fine.', status: 'ok' },
    ])
  })

  it('is healthy with warnings, not with a failure', () => {
    expect(isHealthy([ok('a', ''), warn('b', '', [])])).toBe(true)
    expect(isHealthy([ok('a', ''), fail('b', '', [])])).toBe(false)
  })
})

describe('formatDiagnosis', () => {
  it('has a line for each finding, the commands below it, and a sum', () => {
    const findings = [
      ok('node', 'Fine.'),
      warn('names', 'Odd.', ['fix names']),
      fail('port', 'Taken.\n  by x', ['a', 'b']),
    ]
    expect(formatDiagnosis(findings)).toBe(`ok    node   Fine.
warn  names  Odd.
             Try this:
               fix names
fail  port   Taken.
               by x
             Try this:
               a
               b

1 problem, 1 warning.`)
    expect(formatDiagnosis([ok('node', 'Fine.')])).toBe('ok    node  Fine.\n\nNo problems.')
  })
})
