// moat setup: Caddy from a server that is good, breaks off, lies or is old; and what it does not do without being told.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findCaddy } from '../../../src/caddy/find-caddy.js'
import { moatPaths } from '../../../src/config/paths.js'
import type { Finding } from '../../../src/doctor/diagnosis.js'
import { Sandbox } from '../../helpers/sandbox.js'

interface Result {
  checks: Finding[]
  done: string[]
  healthy: boolean
  left: string[]
}

/** The real thing. */
let caddy: Buffer
let sandbox: Sandbox
let server: Server
let mirror: string
let requests: IncomingMessage[]
let answer: (request: IncomingMessage, response: ServerResponse) => void

beforeAll(async () => {
  caddy = readFileSync((await findCaddy({ env: process.env, paths: moatPaths() })).path)
})
beforeEach(async () => {
  sandbox = new Sandbox()
  requests = []
  server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/caddy-{os}-{arch}`
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await sandbox.cleanUp()
})

/** No Caddy but what setup brings. */
const env = () => ({ MOAT_CADDY: '', MOAT_CADDY_MIRROR: mirror, PATH: '/nonexistent' })
const setup = () => sandbox.moat(['setup'], { env: env() })
const bin = () => (existsSync(join(sandbox.home, 'bin')) ? readdirSync(join(sandbox.home, 'bin')) : [])

/** Without what is said before: what is downloaded, and what this machine would need root for. */
const withoutProgress = (stderr: string) => stderr.replace(/^(Downloading|Not done) .*\n/gm, '')

/** Serves `content` from where it is asked to, and cuts the connection once `limit` bytes have been sent. */
function serve(content: Buffer, { digest = '', etag = '"one"', limit = Number.POSITIVE_INFINITY } = {}) {
  return ({ headers }: IncomingMessage, response: ServerResponse) => {
    const start = headers['if-range'] === etag ? Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0) : 0
    const rest = content.subarray(start)
    response.writeHead(start > 0 ? 206 : 200, {
      ...(digest && { 'repr-digest': `sha-256=:${digest}:` }),
      'content-length': rest.length,
      etag,
      ...(start > 0 && { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }),
    })
    if (rest.length <= limit) response.end(rest)
    else response.write(rest.subarray(0, limit), () => response.destroy())
  }
}

describe('Caddy', () => {
  it('is downloaded, run and put in place; asked again, nothing is fetched', async () => {
    answer = serve(caddy)
    const outcome = await setup()
    expect(outcome.stderr).toMatch(
      /^Downloading Caddy from 127\.0\.0\.1:\d+\nCaddy 2\.\d+\.\d+ is at .+\/bin\/caddy\.\n/,
    )
    expect(outcome.stdout).toMatch(/^ok {4}caddy +Caddy 2\.\d+\.\d+ at .+\/bin\/caddy(, with layer4)?\./m)
    expect(outcome.code).toBe(0)
    expect(bin()).toEqual(['caddy'])
    expect(statSync(join(sandbox.home, 'bin/caddy')).mode & 0o777).toBe(0o755)
    expect(readFileSync(join(sandbox.home, 'bin/caddy')).equals(caddy)).toBe(true)
    expect((await setup()).code).toBe(0)
    expect(requests).toHaveLength(1)
    expect(requests[0]?.url).toMatch(/^\/caddy-(linux|darwin)-(amd64|arm64)$/)
  })

  it('that breaks off is gone on with, in the same run and in the next; asked for as Caddy’s own service wants it', async () => {
    mirror = new URL('/api/download', mirror).href
    const third = Math.ceil(caddy.length / 3)
    const digest = createHash('sha256').update(caddy).digest('base64')
    const cut = serve(caddy, { digest, limit: third })
    answer = (request, response) => (requests.length > 1 ? response.writeHead(503).end() : cut(request, response))
    const broken = await setup()
    expect(broken.code).toBe(1)
    expect(broken.stderr).toMatch(
      /Error: Caddy could not be downloaded from http:\/\/127\.0\.0\.1:\d+\/api\/download\?\S+: the server answers with HTTP status 503\.\n\nTry this:\n {2}moat setup {3}# goes on where it stopped\n {2}MOAT_CADDY_MIRROR=/,
    )
    requests = []
    answer = cut
    expect((await setup()).code).toBe(0)
    expect(requests[0]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/)
    const asked = requests.map(({ url }) => new URL(url ?? '', mirror))
    expect(new Set(asked.map(({ pathname }) => pathname))).toEqual(new Set(['/api/download']))
    for (const { searchParams } of asked) {
      expect(Object.fromEntries(searchParams)).toEqual({
        arch: expect.stringMatching(/^(amd64|arm64)$/),
        os: expect.stringMatching(/^(linux|darwin)$/),
        p: 'github.com/mholt/caddy-l4',
      })
    }
    const ranges = requests.map(({ headers }) => headers.range)
    expect(ranges.at(-1)).toMatch(/^bytes=\d+-$/)
    expect(ranges.length).toBeGreaterThanOrEqual(3)
    expect(readFileSync(join(sandbox.home, 'bin/caddy')).equals(caddy)).toBe(true)
    expect(bin()).toEqual(['caddy'])
  })

  it('that is another one by now is fetched from its beginning', async () => {
    const half = serve(Buffer.alloc(1_000_000), { etag: '"old"', limit: 500_000 })
    const whole = serve(caddy, { etag: '"new"' })
    answer = (request, response) => (requests.length === 1 ? half : whole)(request, response)
    expect((await setup()).code).toBe(0)
    expect(requests[1]?.headers['if-range']).toBe('"old"')
    expect(readFileSync(join(sandbox.home, 'bin/caddy')).equals(caddy)).toBe(true)
  })

  it.each([
    [
      'is no program',
      '<!doctype html>',
      /^Error: What \S+ sent cannot be used: it is not a program, it begins with "<!doctype html>"\.\n\nTry this:\n/,
    ],
    [
      'is too old',
      '#!/bin/sh\necho v2.6.2\n',
      /^Error: What \S+ sent cannot be used: Caddy 2\.6\.2 at the downloaded file is too old: moat needs 2\.10\.0 or newer/,
    ],
    [
      'is something else',
      '#!/bin/sh\necho hello\n',
      /^Error: What .+ the downloaded file is not Caddy: it says "hello"\./,
    ],
  ])('that %s is refused, and nothing is left', async (_, content, message) => {
    answer = serve(Buffer.from(content))
    const outcome = await setup()
    expect(withoutProgress(outcome.stderr)).toMatch(message)
    expect(outcome.code).toBe(1)
    expect(bin()).toEqual([])
  })

  it('that has not the checksum which the server announces is refused, and nothing is left', async () => {
    const good = Buffer.from('#!/bin/sh\necho v2.11.4\n')
    answer = serve(good, { digest: createHash('sha256').update('another').digest('base64') })
    const outcome = await setup()
    expect(withoutProgress(outcome.stderr)).toMatch(
      /^Error: Caddy could not be downloaded from \S+: what arrived does not have the checksum that the server announced\.\n/,
    )
    expect([outcome.code, bin(), requests.length]).toEqual([1, [], 1])
  })

  it('is not taken from an address that is not https', async () => {
    const outcome = await sandbox.moat(['setup'], {
      env: { ...env(), MOAT_CADDY_MIRROR: 'http://mirror.example/caddy' },
    })
    expect(outcome.code).toBe(2)
    expect(
      withoutProgress(outcome.stderr),
    ).toBe(`Error: The mirror for Caddy must be an https:// address, not "http://mirror.example/caddy".

Try this:
  export MOAT_CADDY_MIRROR='https://mirror.example/caddy-{os}-{arch}'
  unset MOAT_CADDY_MIRROR
`)
    answer = (_, response) => response.writeHead(302, { location: 'http://mirror.example/caddy' }).end()
    expect((await setup()).stderr).toContain('it leads to http://mirror.example/caddy, which is not https.')
    expect(bin()).toEqual([])
  })

  it('comes from the mirror of config.yaml; ten at once fetch it once', async () => {
    answer = serve(caddy)
    mkdirSync(sandbox.home)
    writeFileSync(join(sandbox.home, 'config.yaml'), `caddy: {mirror: '${mirror}'}\n`, { mode: 0o600 })
    const all = Array.from({ length: 4 }, () =>
      sandbox.json<Result>(['setup'], { env: { ...env(), MOAT_CADDY_MIRROR: '' } }),
    )
    for (const { done, healthy } of await Promise.all(all)) {
      expect(healthy).toBe(true)
      expect(done).toEqual(['moat setup'])
    }
    expect(requests).toHaveLength(1)
    expect(bin()).toEqual(['caddy'])
  })
})

describe('other repairs', () => {
  it('are done when they take no rights, and named when they do', async () => {
    await sandbox.json(['proxy', 'start', '--detach'])
    const key = join(sandbox.home, 'proxy/ca/ca.key')
    chmodSync(key, 0o644)
    const result = await sandbox.json<Result>(['setup'])
    expect(result.done).toEqual([`chmod 600 ${key}`])
    expect(result.healthy).toBe(true)
    expect(statSync(key).mode & 0o777).toBe(0o600)
    for (const command of result.left) expect(command).toMatch(/^sudo /)
  })
})
