import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ForwarderOptions, planForwarder } from '../../../src/agents/forwarder.js'

const agent = {
  command: ['npm', 'start'],
  endpoints: [{ name: 'web', port: 3000 }, { name: 'docs' }, { name: 'db', port: 5432, url: 'tcp://localhost:20432' }],
  name: 'my-app',
}
const image = { architecture: 'amd64', command: ['node'], entrypoint: ['/entry.sh'], environment: {}, labels: {} }
const runId = 'run_0123456789ab'

let directory: string
let notes: string[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-forwarder-'))
  notes = []
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

const plan = (who: Partial<typeof agent> = {}, options: Partial<ForwarderOptions> = {}) =>
  planForwarder(
    { ...agent, ...who },
    {
      address: { domain: 'localhost', port: 8080 },
      engine: { isVirtual: async () => false },
      image,
      note: (line) => notes.push(line),
      paths: { agents: join(directory, 'agents') },
      runId,
      ...options,
    },
  )
const madeNothing = () => !existsSync(join(directory, 'agents', runId))

describe('planForwarder', () => {
  it('puts the program before what the image runs, in a directory of the run that the container cannot write', async () => {
    const source = join(directory, 'agents', runId)
    expect(await plan()).toEqual({
      mount: { readOnly: true, source, target: '/run/moat' },
      ports: [8080],
      spec: {
        command: ['npm', 'start'],
        entrypoint: [...['/run/moat/forward', '--port', '8080', '--socket', '/run/moat/proxy.sock', '--', '/entry.sh']],
        hosts: ['my-app.localhost', 'web.my-app.localhost', 'docs.my-app.localhost'].map((name) => ({
          address: '127.0.0.1',
          name,
        })),
      },
    })
    expect(statSync(join(source, 'forward')).mode & 0o777).toBe(0o755)
    expect(statSync(join(directory, 'agents')).mode & 0o777).toBe(0o700)
    expect(notes).toEqual([])
  })

  it("keeps the image's command, which an entrypoint would take away", async () => {
    const { spec } = (await plan({ command: undefined as never })) ?? {}
    expect(spec?.command).toEqual(['node'])
  })

  it('forwards both well-known ports, which need not be root’s', async () => {
    const { ports, spec } = (await plan({}, { address: { domain: 'dev.moat.test', port: 443 } })) ?? {}
    expect(ports).toEqual([443, 80])
    expect(spec?.entrypoint.slice(1, 5)).toEqual(['--port', '443', '--port', '80'])
    expect(spec?.unprivilegedPortStart).toBe(0)
    expect(spec?.hosts?.[1]?.name).toBe('web.my-app.dev.moat.test')
  })

  it('names the host where containers run on another kernel', async () => {
    const { spec } = (await plan({}, { engine: { isVirtual: async () => true } })) ?? {}
    expect(spec?.entrypoint.slice(5, 8)).toEqual(['--host', 'host.docker.internal', '--'])
  })

  it.each([
    ['no endpoint at the proxy', { endpoints: [{ name: 'db', port: 5432, url: 'tcp://localhost:1' }] }, {}],
    ['nothing to run', { command: [] }, { image: { ...image, entrypoint: [] } }],
  ])('is none for an agent with %s, without a word', async (_, who, options) => {
    expect(await plan(who, options)).toBeUndefined()
    expect(notes).toEqual([])
    expect(madeNothing()).toBe(true)
  })

  it.each([
    [
      'there, port 8080 is its endpoint api, not the proxy (proxy.port in config.yaml gives the proxy another)',
      { endpoints: [...agent.endpoints, { name: 'api', port: 8080 }] },
      {},
    ],
    [
      'moat has no forwarder for the processor of its image, riscv64',
      {},
      { image: { ...image, architecture: 'riscv64' } },
    ],
  ])('says why there is none: %s', async (why, who, options) => {
    expect(await plan(who, options)).toBeUndefined()
    expect(notes).toEqual([`Inside its container, the URLs of my-app will not answer: ${why}.`])
    expect(madeNothing()).toBe(true)
  })
})
