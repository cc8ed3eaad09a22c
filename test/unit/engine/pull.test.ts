// Pulling an image, against a server that answers as an engine does: no registry can be counted on in a test.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureImage } from '../../../src/agents/container/ensure-image.js'
import { DockerEngine } from '../../../src/engine/docker-engine.js'

let directory: string
let server: Server | undefined
const steps: string[] = []
const progress = {
  note: () => {},
  step: <T>(title: string, action: (update: (text: string) => void) => Promise<T>) => {
    steps.push(title)
    return action((text) => steps.push(text))
  },
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-pull-'))
  steps.length = 0
})
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  rmSync(directory, { force: true, recursive: true })
})

/** An engine without images, which answers a pull with this status and these lines. */
async function engine(status: number, lines: object[], end = true): Promise<DockerEngine> {
  const socketPath = join(directory, 'engine.sock')
  server = createServer((request, response) => {
    if (request.url?.includes('/images/create')) {
      response.writeHead(status, { 'content-type': 'application/json' })
      for (const line of lines) response.write(`${JSON.stringify(line)}\n`)
      if (end) response.end()
    } else response.writeHead(404).end('{"message":"No such image"}')
  })
  await new Promise<void>((resolve) => server?.listen(socketPath, resolve))
  return new DockerEngine({ address: `unix://${socketPath}`, dial: { socketPath } })
}

const pull = async (from: DockerEngine, signal = new AbortController().signal) =>
  ensureImage(from, 'node:22-slim', progress, signal)

describe('ensureImage', () => {
  it('shows how far the pull is, over all layers', async () => {
    await pull(
      await engine(200, [
        { id: '22-slim', status: 'Pulling from library/node' },
        { id: 'a', progressDetail: { current: 1_000_000, total: 4_000_000 }, status: 'Downloading' },
        { id: 'b', progressDetail: { current: 1_500_000, total: 6_000_000 }, status: 'Downloading' },
      ]),
    )
    expect(steps).toEqual(['Pulling node:22-slim', 'Pulling from library/node', '1.0 of 4.0 MB', '2.5 of 10.0 MB'])
  })

  it.each([
    ['refuses', 404, [{ message: 'manifest unknown.' }], 'manifest unknown'],
    [
      'breaks off',
      200,
      [{ error: 'x', errorDetail: { message: 'no space left on device' } }],
      'no space left on device',
    ],
  ])('says why, and what to do, when the engine %s', async (_, status, lines, reason) => {
    await expect(pull(await engine(status, lines))).rejects.toMatchObject({
      code: 'IMAGE_PULL',
      message: `The image node:22-slim could not be pulled: ${reason}.`,
      suggestions: [
        'docker pull node:22-slim',
        'docker login && docker pull node:22-slim',
        'name another image in moat.yaml, e.g. base_image: debian:bookworm-slim',
      ],
    })
  })

  it('ends with Ctrl+C', async () => {
    const abort = new AbortController()
    const pulling = pull(await engine(200, [{ id: 'a', status: 'Waiting' }], false), abort.signal)
    abort.abort(new Error('interrupted'))
    await expect(pulling).rejects.toThrow('interrupted')
  })
})
