// An image with Postgres 17 and what stands for Redis, made of what is on this machine: no registry has to be reached.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import Docker from 'dockerode'
import { postgres17 } from './postgres-17.js'

const docker = new Docker()

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
      await docker.getImage(tag).remove({ force: true })
    },
    tag,
  }
}

/** Links are followed: what they lead to is sent. */
async function build(directory: string, tag: string): Promise<void> {
  const tar = spawn('tar', ['-C', directory, '-chf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const progress = await docker.buildImage(tar.stdout, { forcerm: true, t: tag })
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()))
  })
}
