// Owns bringing Caddy: downloaded beside its place, resumed where it broke off, and put in place only once it has run.
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemReason } from '../config/read-config.js'
import { MoatError, messageOf } from '../errors.js'
import { DownloadError, fetchFile } from './fetch-file.js'
import { type CaddyBinary, checkCaddy } from './find-caddy.js'

/** Attempts in a row that bring no byte before the download is given up. */
const fruitlessAttempts = 3
/** Before the next attempt. Milliseconds. */
const pause = 500

/** How programs begin: ELF, Mach-O of 64 bits, Mach-O of several kinds, a script. */
const programMarks = ['7f454c46', 'cffaedfe', 'cafebabe', '2321'].map((hex) => Buffer.from(hex, 'hex'))

export interface DownloadCaddyOptions {
  /** Where it goes, as `caddy`. Made if there is none. */
  bin: string
  onProgress: (progress: DownloadProgress) => void
  signal: AbortSignal
  url: URL
}

export interface DownloadProgress {
  /** Bytes, those of earlier attempts too. */
  received: number
  /** Bytes; absent when the server does not say. */
  total?: number
}

/** Rejects with CADDY_DOWNLOAD. What has arrived is kept for the next call, unless it is not a Caddy. */
export async function downloadCaddy(options: DownloadCaddyOptions): Promise<CaddyBinary> {
  const { bin, url } = options
  await mkdir(bin, { mode: 0o700, recursive: true })
  const part = join(bin, '.caddy.part')
  await fetchWhole(part, options)
  await chmod(part, 0o755)
  let version: string
  try {
    await assertProgram(part)
    version = (await checkCaddy(part)).version
  } catch (error) {
    await rm(part, { force: true })
    const reason = messageOf(error).replaceAll(part, 'the downloaded file').replace(/\.$/, '')
    throw failed(`What ${url} sent cannot be used: ${reason}.`, error)
  }
  const path = join(bin, 'caddy')
  // A Caddy that runs from there goes on with the old file.
  await rename(part, path)
  return { path, version }
}

/** A page that says "not found" would otherwise be run by the shell, line by line. */
async function assertProgram(path: string): Promise<void> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0)
    const start = buffer.subarray(0, bytesRead)
    if (programMarks.some((mark) => start.subarray(0, mark.length).equals(mark))) return
    throw new Error(`it is not a program, it begins with ${JSON.stringify(start.toString('latin1'))}`)
  } finally {
    await file.close()
  }
}

async function fetchWhole(part: string, { onProgress, signal, url }: DownloadCaddyOptions): Promise<void> {
  let received = 0
  let fruitless = 0
  for (;;) {
    const before = received
    try {
      return await fetchFile(url, part, {
        onProgress: (progress) => {
          received = progress.received
          onProgress(progress)
        },
        signal,
      })
    } catch (error) {
      signal.throwIfAborted()
      fruitless = received > before ? 0 : fruitless + 1
      if (!(error instanceof DownloadError))
        throw failed(`Caddy could not be saved in ${part}: ${systemReason(error)}.`, error)
      if (!error.temporary || fruitless >= fruitlessAttempts)
        throw failed(`Caddy could not be downloaded from ${url}: ${error.message}.`, error)
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}

function failed(message: string, cause: unknown): MoatError {
  return new MoatError('CADDY_DOWNLOAD', message, {
    cause,
    suggestions: [
      'moat setup   # goes on where it stopped',
      "MOAT_CADDY_MIRROR='https://mirror.example/caddy-{os}-{arch}' moat setup",
      'MOAT_CADDY=/path/to/caddy moat run',
    ],
  })
}
