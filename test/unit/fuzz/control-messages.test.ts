// Anything at all on the control socket: an answer that says what is wrong, nothing done that was not asked for, and a socket that
// goes on answering.
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isDnsLabel } from '../../../src/routing/dns-label.js'
import { type ControlHandlers, type ControlSocket, openControlSocket } from '../../../src/supervisor/control-server.js'
import { controlPaths } from '../../../src/supervisor/protocol.js'
import { fuzzing, isReadable, oddTexts, patience } from '../../helpers/fuzz.js'

const directory = mkdtempSync(join(tmpdir(), 'moat-fuzz-'))
const path = join(directory, 'control.sock')
const called: string[] = []
const questions: unknown[] = []
let control: ControlSocket

/** Ends at once what would go on for as long as somebody listens. */
const streamed = (name: string) => {
  called.push(name)
  return () => {}
}
const handlers: ControlHandlers = {
  check: async (asked) => {
    called.push('check')
    questions.push(...asked.map(({ endpoint, plugin, routes }) => [endpoint.length, plugin.length, routes.length]))
  },
  expect: async (agent) => void called.push(`expect ${isDnsLabel(agent)}`),
  hold: () => streamed('hold'),
  issueKey: () => {
    called.push('key')
    return 'key'
  },
  keep: () => void called.push('keep'),
  look: async () => ({ list: { agents: [], unreadable: [], unsealed: [] }, problems: [] }),
  problems: async () => [],
  record: async ({ runId }) => streamed(`record ${runId.length >= 0}`),
  rotate: async () => {
    called.push('rotate')
    throw new Error('not here')
  },
  status: () => ({}) as never,
  stop: async () => void called.push('stop'),
  stopping: () => false,
  sync: async () => void called.push('sync'),
  watch: () => streamed('watch'),
}

beforeAll(async () => {
  control = await openControlSocket(path, handlers)
})
afterAll(async () => {
  await control.close()
  rmSync(directory, { force: true, recursive: true })
})

interface Answer {
  body: string
  status: number | undefined
}

function ask(method: string, target: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Length': Buffer.byteLength(body) }
    const outgoing = request({ agent: false, headers, method, path: target, socketPath: path }, (response) => {
      // What is streamed has no end.
      if (response.headers['content-type'] === 'application/x-ndjson') {
        outgoing.destroy()
        return resolve({ body: '{}', status: response.statusCode })
      }
      text(response).then((body) => resolve({ body, status: response.statusCode }), reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const target = fc.oneof(
  { arbitrary: fc.constantFrom(...Object.values(controlPaths)), weight: 4 },
  fc.constantFrom(
    '/',
    '//',
    '/../status',
    '/status/',
    '/STATUS',
    '/stop?leave-caddy=1',
    '*',
    '/%00',
    '/check?x#y',
    '//evil.test/status',
  ),
  fc.webPath(),
  fc
    .constantFrom('shop', 'Shop', '', '..', 'a/b', 'xn--a', '-', ...oddTexts)
    .map((name) => `/expect?agent=${encodeURIComponent(name.toWellFormed())}`),
)
const body = fc.oneof(
  fc.constantFrom('', '{', '[]', '[{}]', 'null', '0', '{"runId":5}', '{"runId":"run_0123456789ab"}', '[null]'),
  fc.constantFrom(
    '[{"endpoint":"a","plugin":"b","routes":[{"handle":[]}]}]',
    '[{"endpoint":"a","plugin":"b","routes":{}}]',
  ),
  fc.constantFrom(...oddTexts),
  fc.json(),
  fc.json().map((json) => `[{"endpoint":"a","plugin":${json},"routes":[${json}]}]`),
)
const method = fc.constantFrom('GET', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'HEAD')

it('of HTTP is answered, with what is wrong with it', patience, async () => {
  await fc.assert(
    fc.asyncProperty(method, target, body, async (method, target, body) => {
      const before = called.length
      const answer = await ask(method, target, body)
      const [asked, ...more] = called.slice(before)
      if (more.length > 0) throw new Error(`${method} ${target} did ${asked} and ${more}`)
      // HEAD is never answered with more than headers.
      const said = method === 'HEAD' ? {} : JSON.parse(answer.body)
      if (answer.status === 200) return true
      if (asked !== undefined && asked !== 'rotate') throw new Error(`${answer.status}, but ${asked} was done`)
      if (method === 'HEAD') return answer.status === 404
      const { code, message } = said.error
      return [400, 404, 500].includes(answer.status ?? 0) && typeof code === 'string' && isReadable(message)
    }),
    fuzzing(),
  )
  expect(called).toEqual(
    expect.arrayContaining(['check', 'expect true', 'hold', 'key', 'keep', 'stop', 'sync', 'watch', 'record true']),
  )
  expect(called).not.toContain('expect false')
  expect(questions.every((one) => (one as unknown[]).every(Number.isInteger))).toBe(true)
})

it('that is no HTTP ends its own connection alone', patience, async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200, minLength: 1 }).map((data) => Buffer.from(data)),
    fc.string().map((text) => Buffer.from(`POST ${text}\r\n\r\n`)),
    fc.constantFrom(
      Buffer.from('POST /check HTTP/1.1\r\nContent-Length: -5\r\n\r\n'),
      Buffer.from('POST /check HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
      Buffer.from('GET /status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'),
      Buffer.from(`GET /status HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`),
    ),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async (data) => {
      const socket = connect(path)
      socket.on('error', () => {})
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.resume()
      socket.end(data)
      await closed
    }),
    fuzzing(2_000),
  )
  expect((await ask('GET', controlPaths.status, '')).status).toBe(200)
})
