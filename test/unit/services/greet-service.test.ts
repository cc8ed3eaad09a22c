// Whether a server is ready, as each language says so: real sockets, servers that say what real ones do.
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Language } from '../../../src/services/catalogue.js'
import { greetService } from '../../../src/services/greet-service.js'
import { temporaryDirectory } from '../config/temp-directory.js'

let path: string
let server: Server | undefined
let asked: Buffer

beforeEach(async () => {
  path = join(await temporaryDirectory(), 'service.sock')
  asked = Buffer.alloc(0)
})
afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())))

/** Answers with pieces, once it has been asked, or at once. */
async function serve(pieces: readonly (Buffer | string)[], { first = false, ends = false } = {}): Promise<void> {
  server = createServer((socket) => {
    const answer = () => {
      for (const piece of pieces) socket.write(piece)
      if (ends) socket.end()
    }
    socket.on('error', () => {})
    socket.on('data', (data) => {
      asked = Buffer.concat([asked, data])
      if (!first) answer()
    })
    if (first) answer()
  })
  await new Promise<void>((resolve) => server?.listen(path, resolve))
}

const postgresError = (code: string) => Buffer.from(`E\0\0\0\x3fSFATAL\0C${code}\0Mthe database system\0\0`)

describe.each<[Language, string, readonly (Buffer | string)[], boolean, { first?: boolean }?]>([
  ['postgres', 'wants a password', [Buffer.from('R\0\0\0\x08\0\0\0\x0a')], true],
  ['postgres', 'is starting', [postgresError('57P03')], false],
  ['postgres', 'is shutting down', [postgresError('57P01')], false],
  ['postgres', 'knows no such user', [postgresError('28000')], true],
  ['postgres', 'is no Postgres', ['HTTP/1.1 400 Bad Request\r\n\r\n'], false],
  ['redis', 'has no password', ['+PONG\r\n'], true],
  ['redis', 'wants a password', ['-NOA', 'UTH Authentication required.\r\n'], true],
  ['redis', 'loads its data', ['-LOADING Redis is loading the dataset in memory\r\n'], false],
  ['memcached', 'says its version', ['VERSION 1.6.18\r\n'], true],
  ['memcached', 'says something else', ['ERROR\r\n-------'], false],
  ['mysql', 'greets', [Buffer.from('\x4a\0\0\0\x0a8.4.0\0')], true, { first: true }],
  ['mysql', 'takes nobody', [Buffer.from('\x45\0\0\0\xff\x6a\x04Host', 'latin1')], false, { first: true }],
  ['mongodb', 'answers', [Buffer.alloc(40, 1)], true],
])('%s that %s', (language, _, pieces, expected, how) => {
  it(expected ? 'is ready' : 'is not', async () => {
    await serve(pieces, how)
    expect(await greetService(path, language)).toBe(expected)
  })
})

it('asks Postgres for a session of version 3, and MongoDB for hello', async () => {
  await serve(['R........'])
  await greetService(path, 'postgres')
  expect(asked.readInt32BE(0)).toBe(asked.length)
  expect(asked.readInt32BE(4)).toBe(3 << 16)
  server?.close()
  path = `${path}2`
  asked = Buffer.alloc(0)
  await serve([Buffer.alloc(40)])
  await greetService(path, 'mongodb')
  expect([asked.readInt32LE(0), asked.readInt32LE(12), asked.readInt32LE(21)]).toEqual([
    asked.length,
    2013,
    asked.length - 21,
  ])
})

it('is not ready where nobody is, or who is there ends the connection', async () => {
  expect(await greetService(path, 'redis')).toBe(false)
  await serve([], { ends: true, first: true })
  expect(await greetService(path, 'mysql')).toBe(false)
})
