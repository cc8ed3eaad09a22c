// A socket the user may not open. Root may open any, so root becomes nobody for the question.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { connectEngine } from '../../../src/engine/connect-engine.js'

const nobody = 65_534
let directory: string
let server: Server

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'moat-denied-'))
  server = createServer((_, response) => response.end('OK'))
  await new Promise<void>((resolve) => server.listen(join(directory, 'engine.sock'), resolve))
})
afterEach(() => {
  server.close()
  rmSync(directory, { force: true, recursive: true })
})

it('names the group and the command that joins it', async () => {
  const socket = join(directory, 'engine.sock')
  chmodSync(socket, 0o000)
  const root = process.geteuid?.() === 0
  if (root) process.seteuid?.(nobody)
  const error = await connectEngine({ env: { DOCKER_HOST: `unix://${socket}` }, home: directory, platform: 'linux' })
    .then(() => 'connected')
    .catch((reason) => reason)
    .finally(() => root && process.seteuid?.(0))
  expect(error).toMatchObject({
    message: `No container engine answers.\n  unix://${socket} (DOCKER_HOST): permission denied (is your user in the docker group?)`,
    suggestions: [
      'sudo usermod -aG docker $USER && newgrp docker',
      'unset DOCKER_HOST',
      'sudo systemctl start docker',
      'systemctl --user start podman.socket',
    ],
  })
})
