import { PassThrough, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { demultiplex } from '../../../src/engine/demultiplex.js'
import { until } from '../../helpers/until.js'

function frame(stream: 1 | 2, content: string): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt8(stream, 0)
  header.writeUInt32BE(Buffer.byteLength(content), 4)
  return Buffer.concat([header, Buffer.from(content)])
}

describe('demultiplex', () => {
  it('reads one chunk of many tiny frames', async () => {
    const source = new PassThrough()
    const { stderr, stdout } = demultiplex(source)
    const count = 50_000
    source.end(Buffer.concat(Array.from({ length: count }, (_, index) => frame(index % 2 === 0 ? 1 : 2, 'x'))))
    const [out, err] = await Promise.all([text(stdout), text(stderr)])
    expect([out.length, err.length]).toEqual([count / 2, count / 2])
  })

  it('reads frames that arrive byte by byte', async () => {
    const source = new PassThrough()
    const { stderr, stdout } = demultiplex(source)
    for (const byte of Buffer.concat([frame(1, 'out: ä'), frame(2, ''), frame(2, 'err')])) source.write(Buffer.of(byte))
    source.end()
    expect(await Promise.all([text(stdout), text(stderr)])).toEqual(['out: ä', 'err'])
  })

  it('keeps the order of both streams for readers that come late and are slow', async () => {
    const source = new PassThrough()
    const { stderr, stdout } = demultiplex(source)
    const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index}\n`)
    source.end(Buffer.concat(lines.map((line, index) => frame(index % 3 === 0 ? 2 : 1, line))))
    await until('a first piece', () => (stderr as PassThrough).readableLength > 0)
    const read: string[] = []
    const slow = () =>
      new Writable({
        highWaterMark: 1,
        write: (chunk, _, done) => {
          read.push(String(chunk))
          setImmediate(done)
        },
      })
    stdout.pipe(slow())
    stderr.pipe(slow())
    await Promise.all([finished(stdout), finished(stderr)])
    expect(read.join('')).toBe(lines.join(''))
  })

  it('holds the container up while nobody reads, instead of filling memory', async () => {
    const source = new PassThrough()
    const { stdout } = demultiplex(source)
    const piece = frame(1, 'x'.repeat(100_000))
    await until('a full source', () => !source.write(piece))
    expect(stdout).toMatchObject({ readableFlowing: null })
    stdout.resume()
    await until('an empty source', () => source.writableLength === 0 && source.readableLength === 0)
  })

  it('goes on for one reader when the other has gone away', async () => {
    const source = new PassThrough()
    const { stderr, stdout } = demultiplex(source)
    ;(stdout as PassThrough).destroy()
    source.write(frame(1, 'x'.repeat(200_000)))
    source.end(frame(2, 'err'))
    expect(await text(stderr)).toBe('err')
  })

  it('ends both streams when the engine breaks off', async () => {
    const source = new PassThrough()
    const { stderr, stdout } = demultiplex(source)
    source.write(frame(1, 'half'))
    const read = text(stdout)
    stdout.once('data', () => source.destroy(new Error('reset')))
    expect(await Promise.all([read, text(stderr)])).toEqual(['half', ''])
  })
})
