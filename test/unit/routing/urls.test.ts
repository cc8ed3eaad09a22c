// Owns what every URL and host name looks like.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  agentHost,
  agentUrl,
  authorityOf,
  endpointHost,
  endpointUrl,
  indexUrl,
  isWithin,
  listenPorts,
  urlEnvironment,
} from '../../../src/routing/urls.js'
import { domain, label, port } from './arbitraries.js'

const at = (port: number) => ({ domain: 'localhost', port })

describe('URLs', () => {
  it('carry the port, but for 80 and 443', () => {
    expect(endpointUrl('dark-mode', 'web', at(8080))).toBe('https://web.dark-mode.localhost:8080')
    expect(endpointUrl('dark-mode', 'web', at(443))).toBe('https://web.dark-mode.localhost')
    expect(endpointUrl('dark-mode', 'web', at(80))).toBe('https://web.dark-mode.localhost')
    expect(authorityOf('localhost', 9000)).toBe('localhost:9000')
    expect(endpointUrl('dark-mode', 'web', { domain: 'moat.test', port: 8080 })).toBe(
      'https://web.dark-mode.moat.test:8080',
    )
  })

  it('are read back by any browser as they were made, at a port the proxy listens on', () => {
    fc.assert(
      fc.property(label, label, domain, port, (agent, endpoint, domain, proxyPort) => {
        const address = { domain, port: proxyPort }
        const urls = [
          [endpointUrl(agent, endpoint, address), endpointHost(agent, endpoint, domain)],
          [agentUrl(agent, address), agentHost(agent, domain)],
          [indexUrl(address), domain],
        ] as const
        for (const [url, host] of urls) {
          const parsed = new URL(url)
          expect(parsed.hostname).toBe(host)
          expect(host.length).toBeLessThanOrEqual(239)
          expect(isWithin(host, domain)).toBe(true)
          expect(parsed.origin).toBe(url)
          expect(listenPorts(proxyPort)).toContain(Number(parsed.port || 443))
        }
      }),
    )
  })

  it('differ whenever their agent or endpoint does', () => {
    fc.assert(
      fc.property(fc.tuple(label, label), fc.tuple(label, label), domain, (a, b, domain) => {
        expect(endpointHost(...a, domain) === endpointHost(...b, domain)).toBe(a[0] === b[0] && a[1] === b[1])
      }),
    )
  })
})

describe('isWithin', () => {
  it('takes no name that only ends like the domain', () => {
    expect(isWithin('evilmoat.test', 'moat.test')).toBe(false)
    expect(isWithin('moat.test.example.com', 'moat.test')).toBe(false)
    expect(isWithin('test', 'moat.test')).toBe(false)
  })
})

describe('listenPorts', () => {
  it.each([
    [8080, [8080]],
    [443, [443, 80]],
    [80, [443, 80]],
  ])('of %s are %j', (asked, expected) => {
    expect(listenPorts(asked)).toEqual(expected)
  })
})

describe('urlEnvironment', () => {
  it('names the agent and each endpoint, for programs and as browsers see them', () => {
    expect(urlEnvironment('dark-mode', [{ name: 'web' }, { name: 'admin-api' }], at(8080))).toEqual({
      MOAT_HOST: 'dark-mode.localhost:8080',
      MOAT_HOST_ADMIN_API: 'admin-api.dark-mode.localhost:8080',
      MOAT_HOST_WEB: 'web.dark-mode.localhost:8080',
      MOAT_HTTPS_URL: 'https://dark-mode.localhost:8080',
      MOAT_HTTPS_URL_ADMIN_API: 'https://admin-api.dark-mode.localhost:8080',
      MOAT_HTTPS_URL_WEB: 'https://web.dark-mode.localhost:8080',
      MOAT_ORIGIN: 'https://dark-mode.localhost:8080',
      MOAT_ORIGIN_ADMIN_API: 'https://admin-api.dark-mode.localhost:8080',
      MOAT_ORIGIN_WEB: 'https://web.dark-mode.localhost:8080',
      MOAT_URL: 'http://dark-mode.localhost:8080',
      MOAT_URL_ADMIN_API: 'http://admin-api.dark-mode.localhost:8080',
      MOAT_URL_WEB: 'http://web.dark-mode.localhost:8080',
    })
    expect(urlEnvironment('dark-mode', [{ name: 'web' }], at(443)).MOAT_URL_WEB).toBe('http://web.dark-mode.localhost')
  })

  it('has the address a type gave, and none for the agent if nothing of it is behind the proxy', () => {
    expect(urlEnvironment('dark-mode', [{ name: 'db', url: 'postgres://127.0.0.1:20432/app' }], at(8080))).toEqual({
      MOAT_HOST_DB: '127.0.0.1:20432',
      MOAT_URL_DB: 'postgres://127.0.0.1:20432/app',
    })
  })

  it('has an origin wherever a browser would have one', () => {
    const endpoints = [
      { name: 'far', url: 'https://far.test/x?y' },
      { name: 'near', url: 'http://127.0.0.1:20080/x' },
      { name: 'raw', url: '127.0.0.1:20432' },
    ]
    expect(urlEnvironment('dark-mode', endpoints, at(8080))).toEqual({
      MOAT_HOST_FAR: 'far.test',
      MOAT_HOST_NEAR: '127.0.0.1:20080',
      MOAT_HOST_RAW: '127.0.0.1:20432',
      MOAT_HTTPS_URL_FAR: 'https://far.test/x?y',
      MOAT_ORIGIN_FAR: 'https://far.test',
      MOAT_ORIGIN_NEAR: 'http://127.0.0.1:20080',
      MOAT_URL_FAR: 'https://far.test/x?y',
      MOAT_URL_NEAR: 'http://127.0.0.1:20080/x',
      MOAT_URL_RAW: '127.0.0.1:20432',
    })
  })

  it('is empty for an agent without endpoints', () => {
    expect(urlEnvironment('dark-mode', [], at(8080))).toEqual({})
  })

  it('has four valid, distinct names for every endpoint', () => {
    fc.assert(
      fc.property(label, fc.uniqueArray(label, { minLength: 1 }), port, (agent, endpoints, proxyPort) => {
        const names = Object.keys(
          urlEnvironment(
            agent,
            endpoints.map((name) => ({ name })),
            at(proxyPort),
          ),
        )
        expect(names).toHaveLength(4 * (endpoints.length + 1))
        for (const name of names) expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/)
      }),
    )
  })
})
