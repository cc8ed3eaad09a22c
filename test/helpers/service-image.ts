// An image with Postgres 17 and what stands for Redis, made of what is on this machine: no registry has to be reached.
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { postgres17 } from './postgres-17.js'

const run = promisify(execFile)

const dockerfile = `FROM node:22-slim
COPY postgres /postgres
COPY entry.sh redis.cjs /
VOLUME /data
ENTRYPOINT ["/entry.sh"]
`

export interface ServiceImage {
  remove(): Promise<void>
  tag: string
}

export async function serviceImage(): Promise<ServiceImage> {
  const tag = `moat-test-services:${randomBytes(4).toString('hex')}`
  const directory = mkdtempSync(join(tmpdir(), 'moat-service-image-'))
  try {
    writeFileSync(join(directory, 'Dockerfile'), dockerfile)
    for (const name of ['entry.sh', 'redis.cjs']) cpSync(resolve('test/fixtures/services', name), join(directory, name))
    symlinkSync(postgres17(), join(directory, 'postgres'))
    await build(directory, tag)
  } finally {
    rmSync(directory, { force: true, recursive: true })
  }
  return {
    remove: async () => {
      await run('docker', ['rmi', '--force', tag])
    },
    tag,
  }
}

/** Links are followed: what they lead to is sent. */
async function build(directory: string, tag: string): Promise<void> {
  const tar = spawn('tar', ['-C', directory, '-chf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const docker = spawn('docker', ['build', '-q', '-t', tag, '-'], { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  docker.stderr.on('data', (piece) => {
    said += piece
  })
  tar.stdout.pipe(docker.stdin)
  const code = await new Promise((ended) => docker.once('close', ended))
  if (code !== 0) throw new Error(`docker build exited with ${code}: ${said}`)
}
