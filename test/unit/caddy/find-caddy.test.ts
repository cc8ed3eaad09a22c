import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findCaddy, parseVersion } from '../../../src/caddy/find-caddy.js'
import { isNewEnough } from '../../../src/config/is-new-enough.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-find-'))
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

/** A program that says it is this version; returns its path. */
function program(name: string, says: string): string {
  const path = join(directory, name, 'caddy')
  mkdirSync(join(directory, name), { recursive: true })
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`)
  chmodSync(path, 0o755)
  return path
}

const find = (env: Record<string, string> = {}) =>
  findCaddy({ env: { PATH: '', ...env }, paths: { bin: join(directory, 'bin') }, platform: 'linux' })

const suggestions = ['moat setup', 'MOAT_CADDY=/path/to/caddy moat run']

describe('findCaddy', () => {
  it('takes MOAT_CADDY, then its own, then the first on PATH that is new enough', async () => {
    const old = program('old', '2.6.2')
    const onPath = program('path', 'v2.10.2 h1:abc=')
    const PATH = `${join(directory, 'old')}:${join(directory, 'path')}`
    expect(await find({ PATH })).toEqual({ path: onPath, version: '2.10.2' })
    const own = program('bin', '2.11.4')
    expect(await find({ PATH })).toEqual({ path: own, version: '2.11.4' })
    const named = program('named', '2.12.0-beta.1')
    expect(await find({ MOAT_CADDY: named, PATH })).toEqual({ path: named, version: '2.12.0' })
    await expect(find({ MOAT_CADDY: old, PATH })).rejects.toMatchObject({
      code: 'CADDY_TOO_OLD',
      message: `Caddy 2.6.2 at ${old} (from MOAT_CADDY) is too old: moat needs 2.10.0 or newer, because older ones drop WebSockets when an agent starts.`,
      suggestions: ['unset MOAT_CADDY && moat setup', 'MOAT_CADDY=/path/to/caddy moat run'],
    })
  })

  it('names the one that is too old when there is no other', async () => {
    const old = program('old', '2.6.2')
    await expect(find({ PATH: join(directory, 'old') })).rejects.toThrow(`Caddy 2.6.2 at ${old} is too old`)
  })

  it('lists every place it looked at', async () => {
    const other = program('other', 'nginx 1.0')
    await expect(find({ PATH: join(directory, 'other') })).rejects.toMatchObject({
      code: 'CADDY_MISSING',
      message: `Caddy 2.10.0 or newer was not found.
  ${directory}/bin/caddy: no such file
  ${other}: ${other} is not Caddy: it says "nginx 1.0".`,
      suggestions,
    })
    await expect(find()).rejects.toThrow('\n  caddy: not on PATH')
  })

  it('does not pass over a MOAT_CADDY that does not run', async () => {
    program('bin', '2.11.4')
    await expect(find({ MOAT_CADDY: '/nonexistent/caddy' })).rejects.toMatchObject({
      code: 'CADDY_MISSING',
      message: 'Caddy at /nonexistent/caddy (from MOAT_CADDY) does not run: no such file.',
    })
  })
})

describe('versions', () => {
  it.each([
    ['2.11.4', '2.11.4'],
    ['v2.10.0 h1:xyz=', '2.10.0'],
    ['unknown', undefined],
  ])('of %j is %j', (output, version) => expect(parseVersion(output)).toBe(version))

  it.each([
    ['2.10.0', true],
    ['2.9.9', false],
    ['2.11.0', true],
    ['3.0.0', true],
    ['1.99.99', false],
  ])('%s is new enough: %s', (version, enough) => expect(isNewEnough(version, '2.10.0')).toBe(enough))
})
