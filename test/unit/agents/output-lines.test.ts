import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { type OutputLine, readLines } from '../../../src/agents/output-lines.js'
import { demultiplex } from '../../../src/engine/demultiplex.js'

function frame(stream: 1 | 2, payload: Buffer | string): Buffer {
  const content = Buffer.from(payload)
  const header = Buffer.alloc(8)
  header.writeUInt8(stream, 0)
  header.writeUInt32BE(content.length, 4)
  return Buffer.concat([header, content])
}

describe('readLines', () => {
  it('keeps the order of the two streams, joins pieces of lines and of characters, and gives the last unfinished one', async () => {
    const euro = Buffer.from('€')
    const source = new PassThrough()
    const read: OutputLine[] = []
    const done = readLines(demultiplex(source), (line) => read.push(line))
    const frames = Array.from({ length: 200 }, (_, index) => frame(index % 3 === 0 ? 2 : 1, `line ${index}\n`))
    source.write(Buffer.concat(frames))
    source.write(Buffer.concat([frame(1, 'a'), frame(1, euro.subarray(0, 1)), frame(2, 'err\r\n')]))
    source.write(Buffer.concat([frame(1, euro.subarray(1)), frame(1, '\nlast')]))
    source.end()
    await done
    expect(read.slice(0, 200)).toEqual(
      frames.map((_, index) => ({ stream: index % 3 === 0 ? 'stderr' : 'stdout', text: `line ${index}` })),
    )
    expect(read.slice(200)).toEqual([
      { stream: 'stderr', text: 'err' },
      { stream: 'stdout', text: 'a€' },
      { stream: 'stdout', text: 'last' },
    ])
  })
})
