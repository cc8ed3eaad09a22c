// Owns asking a service about a value: with real TLS, and never anybody else.
import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { checkGrant } from '../../../src/grants/check-grant.js'
import { fillProvider } from '../../../src/grants/fill-provider.js'
import type { GrantProvider } from '../../../src/grants/provider.js'
import { type StubService, startStubService } from '../../helpers/stub-service.js'
import { caught } from '../config/caught.js'
import { sampleGrant } from './sample-grant.js'

const provider: GrantProvider = {
  check: { url: 'https://{host}/api/me', who: 'login' },
  host: 'api.my.test',
  inject: [
    { headers: { Authorization: 'Bearer {token}' }, hosts: ['{host}'], paths: ['/api/**'] },
    { basic: 'git', hosts: ['{host}'] },
  ],
  name: 'my',
  title: 'My',
}
const secret = { token: 'sesame-open-1234' }
const services: StubService[] = []
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()))
})

async function check(answer: RequestListener, { change = (one: GrantProvider) => one, trust = true } = {}) {
  const service = await startStubService(['api.my.test'], answer)
  services.push(service)
  const filled = change(fillProvider(provider, { host: { host: 'api.my.test', port: service.port } }))
  const connection = { lookup: service.lookup, ...(trust && { ca: service.authority }) }
  return { grant: sampleGrant({ provider: filled }), options: { connection, timeout: 20_000 }, service }
}

const saying = (status: number, text: string, headers = {}): RequestListener => {
  return (_, response) => response.writeHead(status, headers).end(text)
}

it('sends the value as a request of an agent has it, and hears whose it is', async () => {
  const { grant, options, service } = await check(saying(200, '{"login":"robot"}'))
  expect(await checkGrant(grant, secret, options)).toEqual({ asked: true, who: 'robot' })
  expect(service.requests).toMatchObject([{ headers: { authorization: `Bearer ${secret.token}` }, url: '/api/me' }])
})

describe('refuses', () => {
  it.each([
    [401, /My refuses the value of the grant my-api: api\.my\.test:\d+ answers 401/],
    [403, /refuses the value/],
    [500, /says nothing about its value/],
    [302, /says nothing about its value/],
  ])('an answer of %i, and does not show the value', async (status, reason) => {
    const { grant, options, service } = await check(
      saying(status, secret.token, { location: 'https://elsewhere.test/' }),
    )
    const error = await caught(() => checkGrant(grant, secret, options))
    expect(error).toMatchObject({ code: 'GRANT_REFUSED', message: expect.stringMatching(reason) })
    expect(JSON.stringify(error)).not.toContain(secret.token)
    expect(service.requests).toHaveLength(1)
  })

  it('a server whose certificate nobody vouches for, before it is told anything', async () => {
    const { grant, options, service } = await check(saying(200, '{}'), { trust: false })
    expect(await caught(() => checkGrant(grant, secret, options))).toMatchObject({ code: 'GRANT_REFUSED' })
    expect(service.requests).toEqual([])
  })
})

it.each(['https://other.test/api/me', 'https://api.my.test:9/api/me'])(
  'asks nobody who gets no value: %s',
  async (url) => {
    const { grant, options, service } = await check(saying(200, '{}'), {
      change: (one) => ({ ...one, check: { url } }),
    })
    expect(await checkGrant(grant, secret, options)).toEqual({ asked: false })
    expect(service.requests).toEqual([])
  },
)
