// Owns one attempt to download a file: it goes on where an earlier one broke off, if the server still has the same file.
import { createWriteStream } from 'node:fs'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import got, { RequestError } from 'got'
import { saveToDisk } from '../config/save-to-disk.js'
import { messageOf } from '../errors.js'
import { announcedDigest, hasDigest } from './announced-digest.js'
import { isSafe } from './caddy-source.js'

/** The official service builds on demand; a stalled connection is given up sooner. Milliseconds. */
const timeout = { connect: 15_000, response: 120_000, socket: 30_000 }
/** Nothing moat downloads is larger; a server that never ends must not fill the disk. Bytes. */
const largest = 300_000_000

export interface FetchOptions {
  onProgress: (progress: { received: number; total?: number }) => void
  signal: AbortSignal
}

/** The server's or the network's fault, not the disk's. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError'

  constructor(
    message: string,
    /** Trying again may help. */
    readonly temporary: boolean,
    cause?: unknown,
  ) {
    super(message, { cause })
  }
}

/**
 * Resolves when `path` is the whole file, on the disk. Beside it `<path>.json` says of which version of which address it
 * is a part; a server without ETag or Last-Modified is asked for the whole file each time.
 */
export async function fetchFile(url: URL, path: string, { onProgress, signal }: FetchOptions): Promise<void> {
  const known = await readPart(url, path)
  const headers = known && { 'if-range': known.validator, range: `bytes=${known.size}-` }
  const stream = got.stream(url, {
    decompress: false,
    headers: { 'accept-encoding': 'identity', ...headers },
    hooks: { beforeRedirect: [({ url: next }) => assertSafe(next)] },
    retry: { limit: 0 },
    signal,
    throwHttpErrors: false,
    timeout,
  })
  try {
    const response = await new Promise<{ headers: IncomingHttpHeaders; statusCode: number }>((resolve, reject) => {
      stream.once('response', resolve)
      stream.once('error', reject)
    })
    const start = startOf(response, known?.size)
    const length = Number(response.headers['content-length'] ?? Number.NaN)
    const total = Number.isNaN(length) ? undefined : start + length
    await notePart(url, path, response.headers)
    const count = counted(start, total, onProgress)
    await pipeline(stream, count.stream, createWriteStream(path, { flags: start > 0 ? 'a' : 'w', mode: 0o600 }))
    if (total !== undefined && count.received() < total) throw new DownloadError('the connection was cut', true)
    const digest = announcedDigest(response.headers)
    if (digest && !(await hasDigest(path, digest)))
      throw new DownloadError('what arrived does not have the checksum that the server announced', false)
  } catch (error) {
    stream.destroy()
    throw await explained(error, path)
  }
  await saveToDisk(path)
  await rm(noteOf(path), { force: true })
}

/** Where the answer begins in the file. Throws DownloadError for one that is no part of it. */
function startOf({ headers, statusCode }: { headers: IncomingHttpHeaders; statusCode: number }, size = 0): number {
  if (statusCode === 200) return 0
  if (statusCode === 206 && size > 0 && headers['content-range']?.startsWith(`bytes ${size}-`)) return size
  const temporary = statusCode === 416 || statusCode === 429 || statusCode >= 500
  throw new DownloadError(`the server answers with HTTP status ${statusCode}`, temporary)
}

function counted(start: number, total: number | undefined, onProgress: FetchOptions['onProgress']) {
  let received = start
  const stream = new Transform({
    transform(chunk: Buffer, _, done) {
      received += chunk.length
      onProgress({ received, ...(total !== undefined && { total }) })
      if (received > largest) done(new DownloadError(`it is larger than ${largest / 1_000_000} MB`, false))
      else done(null, chunk)
    },
  })
  return { received: () => received, stream }
}

/** What is there of the file at `url`; undefined when nothing can be gone on with. */
async function readPart(url: URL, path: string): Promise<{ size: number; validator: string } | undefined> {
  try {
    const note = JSON.parse(await readFile(noteOf(path), 'utf8')) as { url: string; validator: string }
    const { size } = await stat(path)
    return note.url === url.href && size > 0 ? { size, validator: note.validator } : undefined
  } catch {
    // Nothing there, or half a note: from the start, then.
    return undefined
  }
}

/** A weak ETag does not promise the same bytes, so nothing is gone on with. */
async function notePart(
  url: URL,
  path: string,
  { etag, 'last-modified': modified }: IncomingHttpHeaders,
): Promise<void> {
  const validator = etag === undefined ? modified : etag.startsWith('W/') ? undefined : etag
  if (validator === undefined) await rm(noteOf(path), { force: true })
  else await writeFile(noteOf(path), JSON.stringify({ url: url.href, validator }), { mode: 0o600 })
}

/** A part that is of no use any more is removed. */
async function explained(error: unknown, path: string): Promise<unknown> {
  const network = error instanceof RequestError || error instanceof DownloadError
  const useless = !network || (error instanceof DownloadError && error.message.includes('416'))
  if (useless || (error instanceof DownloadError && !error.temporary)) {
    for (const file of [path, noteOf(path)]) await rm(file, { force: true })
  }
  if (!network || error instanceof DownloadError) return error
  return new DownloadError(messageOf(error), !(error.cause instanceof DownloadError), error)
}

function assertSafe(url: URL | string | undefined): void {
  if (url && isSafe(new URL(url))) return
  throw new DownloadError(`it leads to ${url}, which is not https`, false)
}

function noteOf(path: string): string {
  return `${path}.json`
}
