// Owns splitting the engine's one stream of a container's output into stdout and stderr.
import { PassThrough, type Readable } from 'node:stream'
import type { ContainerOutput } from './engine.js'

/** Frame header: the stream's number in byte 0, the payload's length in bytes 4 to 7, big-endian. */
const headerLength = 8
const stderrNumbers = new Set([2, 3])

/**
 * Two streams fed from `source`, which end when it ends or breaks (a broken engine is reported by whoever waits for
 * the container). A slow reader holds up the container, as it does under a shell, rather than filling memory. Nothing is
 * given to one stream while the other has something that was not read: who reads both gets all in the order of writing.
 * dockerode's own version recurses once per frame and overflows the stack on a chunk of many short lines.
 */
export function demultiplex(source: Readable): ContainerOutput {
  // Without a buffer of its own a stream has taken a piece when its reader has.
  const stdout = new PassThrough({ readableHighWaterMark: 0 })
  const stderr = new PassThrough({ readableHighWaterMark: 0 })
  const end = () => {
    stdout.end()
    stderr.end()
  }
  pump(source, stdout, stderr).then(end, end)
  return { stderr, stdout }
}

async function pump(source: Readable, stdout: PassThrough, stderr: PassThrough): Promise<void> {
  const header = Buffer.alloc(headerLength)
  let filled = 0
  let remaining = 0
  let target = stdout
  let last = stdout
  for await (const chunk of source) {
    const data = chunk as Buffer
    let offset = 0
    while (offset < data.length) {
      if (remaining === 0) {
        const copied = data.copy(header, filled, offset, offset + headerLength - filled)
        filled += copied
        offset += copied
        if (filled < headerLength) break
        filled = 0
        remaining = header.readUInt32BE(4)
        target = stderrNumbers.has(header.readUInt8(0)) ? stderr : stdout
      } else {
        const payload = data.subarray(offset, offset + remaining)
        offset += payload.length
        remaining -= payload.length
        if (target !== last) await taken(last)
        last = target
        await write(target, payload)
      }
    }
  }
}

/** Resolves when `target` can take more; a reader that has gone away takes everything. */
async function write(target: PassThrough, payload: Buffer): Promise<void> {
  if (target.destroyed || target.write(payload)) return
  await new Promise<void>((resolve) => {
    const ready = () => {
      target.off('drain', ready)
      target.off('close', ready)
      resolve()
    }
    target.on('drain', ready)
    target.on('close', ready)
  })
}

/** Resolves when all that `stream` was given has been read, or nobody reads it any more. */
async function taken(stream: PassThrough): Promise<void> {
  if (stream.destroyed || stream.readableLength + stream.writableLength === 0) return
  await new Promise<void>((resolve) => {
    const done = () => {
      stream.off('close', done)
      resolve()
    }
    stream.on('close', done)
    // Pieces are taken one after the other: this one after all before it.
    stream.write(Buffer.alloc(0), done)
  })
}
