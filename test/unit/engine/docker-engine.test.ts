// What the adapter makes of an engine's answers, against a server that gives them on a unix socket.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ContainerCreateOptions } from 'dockerode'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DockerEngine } from '../../../src/engine/docker-engine.js'
import { type ContainerSpec, ImageMissingError, NameReservedError } from '../../../src/engine/engine.js'
import { toLabels } from '../../../src/engine/labels.js'
import { until } from '../../helpers/until.js'

let directory: string
let server: Server | undefined
let requests: string[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-docker-'))
  requests = []
})
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
  rmSync(directory, { force: true, recursive: true })
})

/** An engine whose answers are the first entry that a request (`POST /containers/…`) contains. */
async function engine(
  answers: Record<string, [status: number, body: unknown] | RequestListener>,
  options: { moatHome?: string } = {},
) {
  const socketPath = join(directory, 'engine.sock')
  server = createServer((request, response) => {
    const asked = `${request.method} ${request.url}`
    requests.push(asked)
    const answer = Object.entries(answers).find(([part]) => asked.includes(part))?.[1] ?? [500, { message: asked }]
    if (typeof answer === 'function') answer(request, response)
    else response.writeHead(answer[0], { 'content-type': 'application/json' }).end(JSON.stringify(answer[1]))
  })
  await new Promise<void>((resolve) => server?.listen(socketPath, resolve))
  return new DockerEngine({ address: 'unix:///x.sock', dial: { socketPath }, ...options })
}

const spec: ContainerSpec = {
  command: ['true'],
  env: {},
  image: 'debian:bookworm-slim',
  labels: {},
  mounts: [],
  name: 'moat-a',
  ports: [],
  user: { gid: 1, uid: 1 },
  workdir: '/',
}

describe('an engine that refuses', () => {
  const info: [number, unknown] = [200, { SecurityOptions: ['name=seccomp,profile=default'] }]

  const create = async (status: number, message: string) =>
    (await engine({ '/containers/create': [status, { message }], '/info': info })).create(spec)

  it('over the name is told apart', async () => {
    await expect(create(409, 'Conflict.')).rejects.toBeInstanceOf(NameReservedError)
  })

  it('because of the name is told apart, also in the words of Podman', async () => {
    const message = 'container create: creating container storage: the container name "moat-a" is already in use by 12.'
    await expect(create(500, message)).rejects.toBeInstanceOf(NameReservedError)
  })

  it('for want of the image is told apart', async () => {
    await expect(create(404, 'No such image.')).rejects.toBeInstanceOf(ImageMissingError)
  })

  it("for want of Podman's init names the package", async () => {
    const message = 'container create: container-init binary not found on the host: stat /usr/libexec/podman/catatonit'
    await expect(create(500, message)).rejects.toMatchObject({ suggestions: ['sudo apt-get install -y catatonit'] })
  })

  it('for another reason is quoted', async () => {
    await expect(create(400, 'bind source path does not exist: /x')).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: 'The container engine could not create the container: bind source path does not exist: /x.',
    })
  })

  it('is asked once whether it is rootless, and again if it did not say', async () => {
    let answers = 0
    const docker = await engine({
      '/containers/create': [201, { Id: 'a' }],
      '/info': (_, response) => {
        answers += 1
        response.writeHead(answers === 1 ? 500 : 200).end('{"SecurityOptions":["name=rootless"]}')
      },
    })
    await expect(docker.create(spec)).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
    await Promise.all([docker.create(spec), docker.create(spec)])
    await docker.create(spec)
    expect(answers).toBe(2)
  })

  it('that is gone is unreachable', async () => {
    const docker = await engine({})
    await new Promise((resolve) => server?.close(resolve))
    await expect(docker.listAgents()).rejects.toMatchObject({
      code: 'ENGINE_UNREACHABLE',
      message: 'The container engine at unix:///x.sock does not answer: no such file.',
    })
  })
})

describe('an agent is sealed for what the engine lists', () => {
  const inherited = { 'dev.moat.keep': 'true', 'dev.moat.other': 'x', 'org.example': 'kept' }
  const image: [number, unknown] = [200, { Config: { Labels: inherited }, Id: 'sha256:1' }]

  /** An engine that lists the containers it has as `list` says. */
  async function listing(list: (made: ContainerCreateOptions, count: number) => object) {
    const made: ContainerCreateOptions[] = []
    const docker = await engine(
      {
        '/containers/create': (request, response) => {
          void text(request).then((body) => {
            made.push(JSON.parse(body))
            response.writeHead(201).end(JSON.stringify({ Id: `id-${made.length}` }))
          })
        },
        '/containers/json': (_, response) => {
          const [last] = made.slice(-1)
          const info = {
            Created: 1,
            Id: `id-${made.length}`,
            Labels: last?.Labels,
            Names: ['/moat-a'],
            State: 'created',
          }
          response.writeHead(200).end(JSON.stringify(last ? [{ ...info, ...list(last, made.length) }] : []))
        },
        'DELETE /containers': [204, {}],
        '/images/': image,
        '/info': [200, {}],
      },
      { moatHome: directory },
    )
    const agent = { endpoints: [], keep: false, name: 'a', routes: [], runId: 'run_a1b2c3d4e5f6', workspace: '/w' }
    const labels = toLabels({ ...agent, home: directory })
    const mounts = [{ readOnly: true, source: '/w', target: '/workspace' }]
    return { create: () => docker.create({ ...spec, labels, mounts }), docker, made }
  }

  const mount = (Source: string) => ({ Destination: '/workspace', RW: false, Source, Type: 'bind' })

  it('at once where that is what was asked for, without what the image brings along', async () => {
    const { create, docker, made } = await listing(() => ({ ImageID: 'sha256:1', Mounts: [mount('/w')] }))
    expect(await create()).toBe('id-1')
    expect(made[0]?.Labels).toMatchObject({ 'dev.moat.keep': '', 'dev.moat.other': '', 'dev.moat.name': 'a' })
    expect(made[0]?.Labels).not.toHaveProperty('org.example')
    expect(made[0]?.Labels?.['dev.moat.seal']).toMatch(/^v1\.image\+mounts\./)
    expect((await docker.listAgents()).agents).toMatchObject([{ keep: false, name: 'a' }])
  })

  it('where that is another path', async () => {
    const { create, docker, made } = await listing(() => ({ ImageID: 'sha256:1', Mounts: [mount('/host_mnt/w')] }))
    expect(await create()).toBe('id-2')
    expect(requests).toContainEqual(expect.stringMatching(/^DELETE \/containers\/id-1\?/))
    expect(made[1]?.Labels?.['dev.moat.seal']).toMatch(/^v1\.image\+mounts\./)
    expect((await docker.listAgents()).agents).toMatchObject([{ containerId: 'id-2' }])
  })

  it('where that changes, by its name', async () => {
    const { create, made } = await listing((_, count) => ({ ImageID: `sha256:${count + 1}`, Mounts: [] }))
    expect(await create()).toBe('id-3')
    expect(made[2]?.Labels?.['dev.moat.seal']).toMatch(/^v1\.\./)
  })

  it('and nothing stays behind where no seal holds', async () => {
    const { create, made } = await listing(() => ({ Labels: { 'dev.moat.run-id': 'x' } }))
    await expect(create()).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message:
        'The container engine could not create the container: it shows the container moat-a otherwise than it was created.',
    })
    expect(requests.filter((asked) => asked.startsWith('DELETE'))).toHaveLength(made.length)
  })

  it('and found by its name', async () => {
    const { create, docker } = await listing(() => ({ ImageID: 'sha256:2', Mounts: [mount('/w')] }))
    await create()
    expect(await docker.findByContainerName('moat-a')).toMatchObject({ agent: { name: 'a' } })
    expect(await docker.findByContainerName('moat')).toBeUndefined()
  })

  it('and a name may be held by any other container', async () => {
    const others = await engine({
      'moat-a': [200, [{ Id: 'x', Labels: {}, Names: ['/moat-a'] }]],
      '/info': [200, { BuildahVersion: '1' }],
      'moat-b': [200, [{ Id: 'y', Labels: {}, Names: ['/moat-b'], State: 'removing' }]],
    })
    expect(await others.findByContainerName('moat-a')).toEqual({ fix: 'podman rm -f moat-a' })
    // Soon free.
    expect(await others.findByContainerName('moat-b')).toBeUndefined()
  })
})

describe('remove', () => {
  it('waits for a removal by somebody else', async () => {
    let finish = () => {}
    const docker = await engine({
      'DELETE /containers/a': [409, { message: 'removal of container a is already in progress' }],
      'wait?condition=removed': (_, response) => {
        finish = () => response.writeHead(200).end('{"StatusCode":0}')
      },
    })
    let gone = false
    const removal = docker.remove('a').then(() => {
      gone = true
    })
    await until('the wait', () => requests.some((asked) => asked.includes('condition=removed')))
    expect(gone).toBe(false)
    finish()
    await removal
  })

  it('does not take another conflict for a removal', async () => {
    const docker = await engine({ DELETE: [409, { message: 'container a is in use.' }] })
    await expect(docker.remove('a')).rejects.toMatchObject({
      message: 'The container engine could not remove the container: container a is in use.',
    })
  })
})

describe('wait', () => {
  it('says so when the engine ends before the container does', async () => {
    const docker = await engine({
      '/json': [200, { State: { Status: 'running' } }],
      '/wait': (_, response) => {
        response.writeHead(200).flushHeaders()
        void until('the look', () => requests.some((asked) => asked.includes('/json'))).then(() => response.end())
      },
    })
    await expect(docker.wait('a')).rejects.toMatchObject({
      message: 'The container engine could not wait for the container: the engine stopped before the container did.',
    })
  })
})

describe('watch', () => {
  it('reports only what can change routes, and a broken stream once', async () => {
    let changes = 0
    const ends: Error[] = []
    const docker = await engine({
      '/events': (_, response) => {
        for (const Action of ['create', 'start', 'exec_create: sh', 'health_status: healthy', 'die', 'kill'])
          response.write(`${JSON.stringify({ Action, Actor: { Attributes: { 'dev.moat.run-id': 'x' } } })}\n`)
        response.write(`${JSON.stringify({ Action: 'die', Actor: { Attributes: { name: 'of others' } } })}\n`)
        void until('the changes', () => changes === 2).then(() => response.destroy())
      },
    })
    const handlers = { onChange: () => (changes += 1), onEnd: (reason: Error) => ends.push(reason) }
    await docker.watch(handlers, new AbortController().signal)
    await until('the end', () => ends.length > 0)
    expect(changes).toBe(2)
    expect(ends).toMatchObject([
      { message: 'The container engine at unix:///x.sock does not answer: the engine closed the connection.' },
    ])
  })

  it('ends quietly when it is told to', async () => {
    const closed = Promise.withResolvers<void>()
    const docker = await engine({
      '/events': (_, response) => {
        response.writeHead(200).flushHeaders()
        response.on('close', () => closed.resolve())
      },
    })
    const ends: Error[] = []
    const abort = new AbortController()
    await docker.watch({ onChange: () => {}, onEnd: (reason) => ends.push(reason) }, abort.signal)
    abort.abort()
    await closed.promise
    await new Promise((resolve) => setImmediate(resolve))
    expect(ends).toEqual([])
  })
})
