// Which services moat.yaml gives an agent, what each is told, and what the agent is told of them.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { assertServices } from '../../../src/agents/plan/assert-services.js'
import { loadMoatYaml } from '../../../src/config/moat-yaml.js'
import { knownServices } from '../../../src/services/catalogue.js'
import { serviceEnvironment, serviceStart } from '../../../src/services/connection.js'
import { assertBesideProxy, assertServicePorts, planServices } from '../../../src/services/plan-services.js'
import { temporaryDirectory } from '../config/temp-directory.js'

let directory: string
beforeEach(async () => {
  directory = await temporaryDirectory()
})

async function planned(text: string) {
  await writeFile(join(directory, 'moat.yaml'), text)
  return planServices(await loadMoatYaml(directory, directory))
}

async function one(text: string) {
  const [service] = await planned(`services: {${text}}`)
  if (!service) throw new Error('no service')
  return service
}

const message = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    return (error as Error).message
  }
  return undefined
}

describe('the catalogue', () => {
  it('names no value that there is none for, and has names that differ in what a socket is called by', async () => {
    for (const name of knownServices().keys()) {
      const service = await one(`${name}: {}`)
      const { command = [], env, files } = serviceStart(service, 'p')
      const agent = serviceEnvironment(service, 'p')
      const texts = [...command, ...Object.values(env), ...files.map(({ text }) => text), ...Object.values(agent)]
      expect(texts.filter((text) => /[{}]/.test(text))).toEqual([])
      expect(() => new URL(Object.entries(agent).find(([key]) => key.endsWith('_URL'))?.[1] ?? '')).not.toThrow()
    }
    const short = [...knownServices().keys()].map((name) => name.slice(0, 8))
    expect(new Set(short).size).toBe(short.length)
  })

  it('has passwords in no command line', () => {
    for (const { command = [] } of knownServices().values()) expect(command.join(' ')).not.toContain('{password}')
  })
})

describe('planServices', () => {
  it('chooses the image by version, by what moat knows, or takes the one that is named', async () => {
    const services = await planned('services: {redis: 7.0, postgres: {}, mongodb: {image: "my/mongo:1", port: 27018}}')
    expect(services.map(({ image, name, port }) => [name, image, port])).toEqual([
      ['redis', 'redis:7.0', 6379],
      ['postgres', 'postgres:17', 5432],
      ['mongodb', 'my/mongo:1', 27018],
    ])
  })

  it('gives one its own limit, in the place of that of the agent', async () => {
    expect((await one('redis: {memory: 512}')).memory).toBe(512)
    expect(await one('redis: 7')).not.toHaveProperty('memory')
    await expect(planned('services: {redis: {memory: 2g}}')).rejects.toMatchObject({
      message: expect.stringContaining(
        '"services.redis.memory" must be a whole number of MiB, at least 6, not "2g"; write 2048',
      ),
    })
  })

  it('says what to do for a service of the Go program that has to reach the world', async () => {
    await expect(planned('services: {ollama: {}}')).rejects.toMatchObject({
      message: expect.stringContaining('run it on this machine, and write network: {host: [11434]}'),
    })
  })

  it('says of all that it does not know where they stand, and what is near', async () => {
    await expect(planned('services:\n  postgress: 17\n  kafka: {}\n')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: [
        'moat.yaml:2:3: "postgress" is no service that moat knows; did you mean "postgres"?',
        `moat.yaml:3:3: "kafka" is no service that moat knows; moat knows ${[...knownServices().keys()].join(', ')}`,
      ].join('\n'),
    })
  })
})

describe('what a service and its agent are told', () => {
  it('is one and the same: postgres', async () => {
    const service = await one('postgres: 17')
    expect(serviceStart(service, 'secret')).toEqual({
      command: undefined,
      env: { POSTGRES_DB: 'postgres', POSTGRES_PASSWORD: 'secret', POSTGRES_USER: 'postgres' },
      files: [],
    })
    expect(serviceEnvironment(service, 'secret')).toEqual({
      MOAT_POSTGRES_DATABASE: 'postgres',
      MOAT_POSTGRES_DB: 'postgres',
      MOAT_POSTGRES_HOST: 'postgres',
      MOAT_POSTGRES_PASSWORD: 'secret',
      MOAT_POSTGRES_PORT: '5432',
      MOAT_POSTGRES_URL: 'postgresql://postgres:secret@postgres:5432/postgres',
      MOAT_POSTGRES_USER: 'postgres',
    })
  })

  it('follows what moat.yaml sets, in a URL that stays one', async () => {
    const service = await one(
      'postgres: {port: 5433, env: {POSTGRES_DB: "a/b", POSTGRES_PASSWORD: "p@ss:$&", LANG: C}}',
    )
    expect(serviceStart(service, 'made').env).toMatchObject({ LANG: 'C', POSTGRES_PASSWORD: 'p@ss:$&' })
    const told = serviceEnvironment(service, 'made')
    expect(told).toMatchObject({ MOAT_POSTGRES_DATABASE: 'a/b', MOAT_POSTGRES_PASSWORD: 'p@ss:$&' })
    const { password, pathname, port } = new URL(told.MOAT_POSTGRES_URL ?? '')
    expect([decodeURIComponent(password), decodeURIComponent(pathname), port]).toEqual(['p@ss:$&', '/a/b', '5433'])
  })

  it('is a file for a program that takes a password only from there or its command line', async () => {
    const service = await one('redis: 7')
    expect(serviceStart(service, 'secret')).toEqual({
      command: ['redis-server', '/etc/moat-service/redis.conf'],
      env: {},
      files: [{ name: 'redis.conf', text: 'requirepass secret\n' }],
    })
    expect(serviceEnvironment(service, 'secret')).toEqual({
      MOAT_REDIS_HOST: 'redis',
      MOAT_REDIS_PASSWORD: 'secret',
      MOAT_REDIS_PORT: '6379',
      MOAT_REDIS_URL: 'redis://default:secret@redis:6379',
    })
  })

  it('has no password where there is none', async () => {
    expect(Object.keys(serviceEnvironment(await one('memcached: {}'), 'secret')).toSorted()).toEqual([
      'MOAT_MEMCACHED_HOST',
      'MOAT_MEMCACHED_PORT',
      'MOAT_MEMCACHED_URL',
    ])
  })
})

describe('a port that is somebody else’s in the container', () => {
  const nobody = { endpoints: [], network: { host: [] }, ports: [] }

  it('is refused, with who has it and where the service stands', async () => {
    const services = await planned('services: {redis: {}, valkey: {}}')
    expect(message(() => assertServicePorts({ ...nobody, services }))).toBe(
      'moat.yaml:1:31: port 6379, at which the agent reaches the service valkey, is the service redis in its container.',
    )
    const [redis] = services
    const alone = redis ? [redis] : []
    expect(message(() => assertServicePorts({ ...nobody, services: alone }))).toBeUndefined()
    const endpoints = [{ name: 'db', port: 6379 }]
    expect(message(() => assertServicePorts({ ...nobody, endpoints, services: alone }))).toContain('is the endpoint db')
    expect(message(() => assertServicePorts({ ...nobody, ports: [{ port: 6379 }], services: alone }))).toContain(
      'an endpoint',
    )
    const network = { host: [6379] }
    expect(message(() => assertServicePorts({ ...nobody, network, services: alone }))).toContain('by network.host')
    expect(message(() => assertBesideProxy(alone, [443, 6379]))).toContain('is the proxy')
    expect(message(() => assertBesideProxy(alone, [8080]))).toBeUndefined()
  })
})

it('says where the engine or the runtime leads to no service', async () => {
  const services = await planned('services: {redis: {}}')
  const plan = {
    container: {},
    endpoints: [],
    network: { host: [], peers: [], policy: 'permissive' as const, rules: [] },
    ports: [],
  }
  const far = { sharesSockets: async () => false }
  await expect(assertServices(far, { ...plan, services })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/^moat\.yaml:1:19: services cannot be reached here: .*virtual machine/),
  })
  const sealed = { sharesSockets: async (runtime?: string) => runtime === undefined }
  await expect(assertServices(sealed, { ...plan, container: { runtime: 'runsc' }, services })).rejects.toMatchObject({
    message: expect.stringContaining('the runtime runsc gives each container a kernel of its own'),
  })
  await expect(assertServices(far, { ...plan, services: [] })).resolves.toBeUndefined()
})
