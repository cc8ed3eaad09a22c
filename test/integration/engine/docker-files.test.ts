// Files of a container that has not been started, as the engine hands them over.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import type { Engine } from '../../../src/engine/engine.js'

let container: string
let engine: Engine
let home: string

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'moat-files-'))
  engine = await connectEngine({ moatHome: home })
  container = await engine.create({
    command: ['true'],
    env: {},
    image: 'node:22-slim',
    labels: {},
    mounts: [],
    name: `moat-files-${process.pid}`,
    ports: [],
    user: { gid: 0, uid: 0 },
    workdir: '/',
  })
})
afterAll(async () => {
  await engine.remove(container)
  rmSync(home, { force: true, recursive: true })
})

describe('files of a container', () => {
  it('are read whole, every time, through links too', async () => {
    const long = `${'x'.repeat(300_000)}end`
    await engine.files.write(container, '/srv', [{ name: 'long', text: long }])
    for (let round = 0; round < 20; round += 1) {
      expect((await engine.files.read(container, '/srv/long'))?.length).toBe(long.length)
    }
    // A relative link in Debian's images.
    expect(await engine.files.read(container, '/etc/os-release')).toContain('ID=debian')
  })

  it('are absent when there is none, and when it is a directory', async () => {
    for (const path of ['/nowhere', '/srv']) {
      expect([path, await engine.files.read(container, path)]).toEqual([path, undefined])
    }
  })

  it('are written into directories that have to be made', async () => {
    await engine.files.write(container, '/opt/some/where', [{ name: 'file', text: 'text' }])
    expect(await engine.files.read(container, '/opt/some/where/file')).toBe('text')
  })

  it('come with what their image says', async () => {
    const facts = await engine.files.describeImage('node:22-slim')
    expect(facts).toMatchObject({ command: ['node'], environment: { PATH: expect.stringContaining('/usr/bin') } })
    expect(facts.architecture).toBe(process.arch === 'x64' ? 'amd64' : process.arch)
  })
})
