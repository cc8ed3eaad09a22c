// Whether an endpoint is ready that speaks no HTTP: what it does with a connection, where there is time to see it.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { probeOf } from '../../../src/agents/endpoint-probe.js'
import type { Agent } from '../../../src/routing/agent.js'
import { probeSuffix, wayName } from '../../../src/routing/way-in.js'
import { Servers } from '../../helpers/servers.js'

const runId = 'run_0123456789ab'
const servers = new Servers()
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-probe-'))
})
afterEach(async () => {
  await servers.closeAll()
  rmSync(directory, { force: true, recursive: true })
})

async function ask(timeout: number, onConnection?: (socket: Socket) => void) {
  const link = join(directory, `${wayName(runId, 5432)}${probeSuffix}`)
  mkdirSync(dirname(link), { recursive: true })
  if (onConnection) await servers.listen(onConnection, link)
  const agent = { published: {}, runId, wayIn: 'sockets' } as Agent
  const endpoint = { name: 'db', readiness: { kind: 'tcp', port: 5432 }, type: 'tcp' } as const
  const address = { domain: 'localhost', port: 8080 }
  const probe = await probeOf(agent, endpoint, { address, certificateFile: '', proxyDirectory: directory })
  return probe(timeout)
}

const ready = {}
const refused = { refused: undefined }

describe('a question by TCP', () => {
  it('is answered by a connection that is kept', async () => expect(await ask(5_000, () => {})).toStrictEqual(ready))

  it('is answered by what a server says first, at once', async () =>
    expect(await ask(200, (socket) => socket.end('hello'))).toStrictEqual(ready))

  it('has no answer in a connection that is dropped', async () =>
    expect(await ask(5_000, (socket) => socket.end())).toStrictEqual(refused))

  it('has no answer where nobody listens', async () => expect(await ask(5_000)).toStrictEqual(refused))

  // With a few milliseconds left, what finds nobody has not dropped the connection yet.
  it('has no answer in a connection that stands when there was no time to see it dropped', async () =>
    expect(await ask(5, () => {})).toStrictEqual(refused))
})
