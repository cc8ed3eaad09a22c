import { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { readFirstBytes } from '../../../src/gate/first-bytes.js'

/** The first bytes that a TLS client says. */
async function hello(servername?: string): Promise<Buffer> {
  const said = Promise.withResolvers<Buffer>()
  const duplex = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      said.resolve(chunk)
      done()
    },
  })
  const tls = connect({ rejectUnauthorized: false, socket: duplex, ...(servername && { servername }) })
  tls.on('error', () => {})
  const bytes = await said.promise
  tls.destroy()
  return bytes
}

/** The same handshake in records of a few bytes. */
function inRecords(bytes: Buffer, size: number): Buffer {
  const message = bytes.subarray(5)
  const pieces: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size)
    pieces.push(Buffer.from([0x16, 3, 1, piece.length >> 8, piece.length & 255]), piece)
  }
  return Buffer.concat(pieces)
}

describe('the opening of a tunnel', () => {
  it('names the host of TLS, however it is cut into pieces', async () => {
    const bytes = await hello('api.test')
    expect(readFirstBytes(bytes)).toEqual({ kind: 'tls', serverName: 'api.test' })
    for (let length = 1; length < bytes.length; length += 7)
      expect(readFirstBytes(bytes.subarray(0, length))).toEqual({ kind: 'more' })
    expect(readFirstBytes(inRecords(bytes, 100))).toEqual({ kind: 'tls', serverName: 'api.test' })
    expect(readFirstBytes(Buffer.concat([bytes, Buffer.from('more')]))).toEqual({ kind: 'tls', serverName: 'api.test' })
  })

  it('without a name is one without a name', async () => {
    expect(readFirstBytes(await hello())).toEqual({ kind: 'tls' })
  })

  it('in more records than anybody needs, with a wrong length, or of another message is malformed', async () => {
    const bytes = await hello('api.test')
    expect(readFirstBytes(inRecords(bytes, 4))).toEqual({ kind: 'malformed' })
    const longer = Buffer.from(bytes)
    longer.writeUIntBE(0xffffff, 6, 3)
    expect(readFirstBytes(longer)).toEqual({ kind: 'malformed' })
    const other = Buffer.from(bytes)
    other[5] = 2
    expect(readFirstBytes(other)).toEqual({ kind: 'malformed' })
    expect(readFirstBytes(Buffer.from([0x16, 2, 0, 0, 5]))).toEqual({ kind: 'malformed' })
    expect(readFirstBytes(Buffer.from([0x16, 3, 1, 0, 0, 0x16]))).toEqual({ kind: 'malformed' })
  })

  it('with two names is malformed: nobody knows which of them a server takes', async () => {
    const bytes = await hello('api.test')
    const name = Buffer.from('api.test')
    const at = bytes.indexOf(name) - 9
    const extension = bytes.subarray(at, at + 9 + name.length)
    const twice = Buffer.concat([bytes.subarray(0, at), extension, extension, bytes.subarray(at + extension.length)])
    const grow = (offset: number, size: number) =>
      twice.writeUIntBE(twice.readUIntBE(offset, size) + extension.length, offset, size)
    grow(3, 2)
    grow(6, 3)
    const session = 5 + 4 + 34
    const ciphers = session + 1 + (twice[session] ?? 0)
    const compression = ciphers + 2 + twice.readUInt16BE(ciphers)
    grow(compression + 1 + (twice[compression] ?? 0), 2)
    expect(readFirstBytes(twice)).toEqual({ kind: 'malformed' })
  })

  it.each([
    ['GET / HTTP/1.1\r\n', 'http'],
    ['GET / HTTP/1.0\n', 'http'],
    ['\r\n\r\nBREW /pot HTTP/1.1\r\n', 'http'],
    ['get / http/1.1\r\n', 'http'],
    ['PRI * HTTP/2.0\r\n', 'malformed'],
    ['GET / HTTP/9\r\n', 'malformed'],
    ['GET / HT', 'more'],
    ['GET', 'more'],
    ['\r\n', 'more'],
    ['', 'more'],
    [`GET /${'x'.repeat(20_000)}`, 'malformed'],
    ['SSH-2.0-OpenSSH_9.6\r\n', 'other'],
    ['EHLO example\r\n', 'other'],
    ['\x00\x00\x00\x08\x04\xd2\x16\x2f', 'other'],
    ['{"jsonrpc":"2.0"}', 'other'],
  ])('%j is %s', (text, kind) => expect(readFirstBytes(Buffer.from(text, 'latin1'))).toEqual({ kind }))
})
