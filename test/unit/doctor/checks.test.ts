import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { layer4Modules } from '../../../src/caddy/front.js'
import { moatPaths } from '../../../src/config/paths.js'
import { checkCaddy } from '../../../src/doctor/check-caddy.js'
import { checkNode } from '../../../src/doctor/check-node.js'
import { checkPort } from '../../../src/doctor/check-port.js'
import { checkResolver, type Lookup } from '../../../src/doctor/check-resolver.js'
import type { DoctorContext } from '../../../src/doctor/diagnosis.js'
import { DoctoredMachine } from '../../helpers/doctored-machine.js'
import { fakeCaddy } from '../../helpers/fake-caddy.js'

let context: DoctorContext
let machine: DoctoredMachine

beforeEach(() => {
  machine = new DoctoredMachine()
  context = machine.context
})
afterEach(() => machine.end())

describe('node', () => {
  it('must be new enough', async () => {
    expect(await checkNode(context, '22.13.0')).toMatchObject([{ status: 'ok' }])
    expect(await checkNode(context, '22.12.9')).toEqual([
      {
        check: 'node',
        fixes: ['npm install --global node@24'],
        message: 'Node.js 22.12.9 is too old: moat needs 22.13 or newer.',
        status: 'fail',
      },
    ])
  })
})

describe('caddy', () => {
  it('that is missing can be downloaded; one of MOAT_CADDY is for the user to correct', async () => {
    expect(await checkCaddy(context)).toMatchObject([{ check: 'caddy', repair: { kind: 'caddy' }, status: 'fail' }])
    const named = { ...context, env: { MOAT_CADDY: '/nonexistent/caddy', PATH: '' } }
    const [finding] = await checkCaddy(named)
    expect(finding).toMatchObject({ message: expect.stringContaining('from MOAT_CADDY'), status: 'fail' })
    expect(finding).not.toHaveProperty('repair')
  })

  it('without layer4 is warned of; another is fetched only where that brings more', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'moat-'))
    const paths = moatPaths({ MOAT_HOME: directory })
    const given = { ...context, paths }
    try {
      const onPath = fakeCaddy(directory, [])
      const missing = expect.stringContaining('no layer4 module')
      expect(await checkCaddy({ ...given, env: { PATH: directory } })).toMatchObject([
        { check: 'caddy', message: `Caddy 2.11.9 at ${onPath}.`, status: 'ok' },
        { check: 'layer4', fixes: ['moat setup'], message: missing, repair: { kind: 'caddy' }, status: 'warn' },
      ])
      const [, named] = await checkCaddy({ ...given, env: { MOAT_CADDY: onPath } })
      expect(named).toEqual({
        check: 'layer4',
        fixes: ['unset MOAT_CADDY && moat setup'],
        message: missing,
        status: 'warn',
      })
      const own = fakeCaddy(join(directory, 'bin'), [])
      const mirror = 'https://mirror.example/caddy'
      const [, mirrored] = await checkCaddy({ ...given, env: { MOAT_CADDY_MIRROR: mirror, PATH: '' } })
      expect(mirrored).toMatchObject({ fixes: ['unset MOAT_CADDY_MIRROR && moat setup'], status: 'warn' })
      expect(mirrored).not.toHaveProperty('repair')
      fakeCaddy(join(directory, 'bin'), [...layer4Modules, 'dns.providers.example'])
      expect(await checkCaddy({ ...given, env: { PATH: '' } })).toEqual([
        {
          check: 'caddy',
          fixes: [],
          message: `Caddy 2.11.9 at ${own}, with layer4, dns.providers.example.`,
          status: 'ok',
        },
      ])
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('port', () => {
  const at = (port: number, explicit = false): DoctorContext => ({
    ...context,
    wanted: async () => ({ domain: 'localhost', explicit, port, source: 'env' }),
  })
  const running =
    (port: number, problem?: string): DoctorContext['proxy'] =>
    async () => ({
      agents: [],
      ca: '',
      caddy: { pid: 2, version: '2.11.4' },
      kept: true,
      port,
      supervisor: { pid: 1, version: '0' },
      ...(problem !== undefined && { problem }),
    })

  it('names the process that holds it', async () => {
    const port = await machine.listen(0)
    const [finding] = await checkPort(at(port))
    expect(finding).toMatchObject({
      fixes: expect.arrayContaining([`ps -fp ${process.pid}   # what it is`]),
      message: expect.stringMatching(new RegExp(`^Port ${port} is already in use by .+ \\(pid ${process.pid}\\)\\.$`)),
      status: 'fail',
    })
  })

  it('is free, or our own', async () => {
    const port = await machine.listen(0)
    machine.close()
    expect(await checkPort(at(port))).toMatchObject([
      { message: `Port ${port} is free; the proxy is not running.`, status: 'ok' },
    ])
    expect(await checkPort({ ...at(8080), proxy: running(8080) })).toMatchObject([
      { message: 'The routing proxy serves port 8080 (pid 1).', status: 'ok' },
    ])
  })

  it('of a running proxy may be another one than asked for, or its proxy in trouble', async () => {
    expect(await checkPort({ ...at(9000, true), proxy: running(8080, 'Caddy does not start') })).toEqual([
      {
        check: 'port',
        fixes: ['moat proxy stop && moat proxy start --port 9000'],
        message: 'The routing proxy serves port 8080, but port 9000 is asked for.',
        status: 'warn',
      },
      {
        check: 'proxy',
        fixes: [`tail ${context.paths.supervisorLog}`],
        message: 'Caddy does not start',
        status: 'fail',
      },
    ])
  })
})

describe('names', () => {
  const failing = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
  const lookup =
    (addresses: Record<string, string[]>): Lookup =>
    async (host) => {
      const found = addresses[host.split('.').at(-1) === host ? host : '*']
      if (!found) throw failing
      return found
    }

  it('below localhost resolve to this machine', async () => {
    expect(await checkResolver(context, lookup({ '*': ['::1'], localhost: ['127.0.0.1'] }))).toMatchObject([
      { message: '*.localhost resolves to ::1.', status: 'ok' },
    ])
  })

  it('that are unknown are a warning, because browsers know them', async () => {
    const found = await checkResolver({ ...context, platform: 'darwin' }, lookup({ localhost: ['127.0.0.1'] }))
    expect(found).toEqual([
      {
        check: 'names',
        fixes: ["echo '127.0.0.1 web.my-app.localhost' | sudo tee -a /etc/hosts"],
        message:
          'The system does not resolve *.localhost. Browsers and curl do by themselves; other programs (Safari, Java, Node.js, wget) cannot open the URLs.',
        status: 'warn',
      },
    ])
  })

  it('of a domain of the user come from a resolver, or from the hosts file', async () => {
    const own: DoctorContext = {
      ...context,
      wanted: async () => ({ domain: 'moat.test', explicit: false, port: 0, source: 'default' }),
    }
    const found = (addresses: Record<string, string[]>) =>
      checkResolver(own, async (host) => {
        const answer = addresses[host === 'moat.test' ? host : '*']
        if (!answer) throw failing
        return answer
      })
    expect(await found({ '*': ['127.0.0.1'], 'moat.test': ['127.0.0.1'] })).toMatchObject([
      { message: '*.moat.test resolves to 127.0.0.1.', status: 'ok' },
    ])
    expect(await found({ 'moat.test': ['127.0.0.1'] })).toMatchObject([
      {
        message: 'moat.test resolves to 127.0.0.1; of the names below it, those that the hosts file has.',
        status: 'ok',
      },
    ])
    expect(await found({})).toEqual([
      {
        check: 'names',
        fixes: ['moat proxy hosts sync   # again when agents have come or gone'],
        message: 'The system does not resolve moat.test: no program can open the URLs.',
        status: 'warn',
      },
    ])
    expect(await found({ 'moat.test': ['203.0.113.7'] })).toMatchObject([
      { message: expect.stringContaining('A name below moat.test resolves to 203.0.113.7'), status: 'fail' },
    ])
  })

  it('that lead elsewhere, or not even localhost, are failures', async () => {
    expect(await checkResolver(context, lookup({ '*': ['203.0.113.7'], localhost: ['127.0.0.1'] }))).toMatchObject([
      { message: expect.stringContaining('resolves to 203.0.113.7, which is not this machine'), status: 'fail' },
    ])
    expect(await checkResolver(context, lookup({}))).toMatchObject([
      { fixes: ["echo '127.0.0.1 localhost' | sudo tee -a /etc/hosts"], status: 'fail' },
    ])
  })
})
