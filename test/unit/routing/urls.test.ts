// Owns what every URL and host name looks like.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authorityOf, endpointHost, endpointUrl, listenPorts, urlEnvironment } from '../../../src/routing/urls.js'
import { label, port } from './arbitraries.js'

describe('URLs', () => {
  it('carry the port, but for 80 and 443', () => {
    expect(endpointUrl('dark-mode', 'web', 8080)).toBe('https://web.dark-mode.localhost:8080')
    expect(endpointUrl('dark-mode', 'web', 443)).toBe('https://web.dark-mode.localhost')
    expect(endpointUrl('dark-mode', 'web', 80)).toBe('https://web.dark-mode.localhost')
    expect(authorityOf('localhost', 9000)).toBe('localhost:9000')
  })

  it('are read back by any browser as they were made, at a port the proxy listens on', () => {
    fc.assert(
      fc.property(label, label, port, (agent, endpoint, proxyPort) => {
        const url = endpointUrl(agent, endpoint, proxyPort)
        const parsed = new URL(url)
        expect(parsed.hostname).toBe(endpointHost(agent, endpoint))
        expect(parsed.origin).toBe(url)
        expect(listenPorts(proxyPort)).toContain(Number(parsed.port || 443))
      }),
    )
  })

  it('differ whenever their agent or endpoint does', () => {
    fc.assert(
      fc.property(fc.tuple(label, label), fc.tuple(label, label), (a, b) => {
        expect(endpointHost(...a) === endpointHost(...b)).toBe(a[0] === b[0] && a[1] === b[1])
      }),
    )
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
  it('names the agent and each endpoint', () => {
    expect(urlEnvironment('dark-mode', [{ name: 'web' }, { name: 'admin-api' }], 8080)).toEqual({
      MOAT_HOST: 'dark-mode.localhost:8080',
      MOAT_HOST_ADMIN_API: 'admin-api.dark-mode.localhost:8080',
      MOAT_HOST_WEB: 'web.dark-mode.localhost:8080',
      MOAT_URL: 'http://dark-mode.localhost:8080',
      MOAT_URL_ADMIN_API: 'http://admin-api.dark-mode.localhost:8080',
      MOAT_URL_WEB: 'http://web.dark-mode.localhost:8080',
    })
    expect(urlEnvironment('dark-mode', [{ name: 'web' }], 443).MOAT_URL_WEB).toBe('http://web.dark-mode.localhost')
  })

  it('has the address a type gave, and none for the agent if nothing of it is behind the proxy', () => {
    expect(urlEnvironment('dark-mode', [{ name: 'db', url: 'postgres://127.0.0.1:20432/app' }], 8080)).toEqual({
      MOAT_HOST_DB: '127.0.0.1:20432',
      MOAT_URL_DB: 'postgres://127.0.0.1:20432/app',
    })
  })

  it('is empty for an agent without endpoints', () => {
    expect(urlEnvironment('dark-mode', [], 8080)).toEqual({})
  })

  it('has a pair of valid, distinct names for every endpoint', () => {
    fc.assert(
      fc.property(label, fc.uniqueArray(label, { minLength: 1 }), port, (agent, endpoints, proxyPort) => {
        const names = Object.keys(
          urlEnvironment(
            agent,
            endpoints.map((name) => ({ name })),
            proxyPort,
          ),
        )
        expect(names).toHaveLength(2 * (endpoints.length + 1))
        for (const name of names) expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/)
      }),
    )
  })
})
