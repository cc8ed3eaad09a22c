// A redirect to where an app listens in its container leads to the URL that was asked; every other is left as it is.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sandbox } from '../../helpers/sandbox.js'

const server = `
const answer = (request, response) => {
  const url = new URL(request.url, 'http://app')
  const location = url.searchParams.get('to')
  if (url.pathname === '/upload') {
    let size = 0
    request.on('data', (chunk) => { size += chunk.length })
    request.on('end', () => response.writeHead(303, { Location: location, 'Set-Cookie': ['a=1', 'b=2'] }).end('got ' + size))
    return
  }
  response.writeHead(307, location === null ? {} : { Location: location }).end('moved')
}
require('node:http').createServer(answer).listen(3000, '127.0.0.1')
require('node:http').createServer(answer).listen(4000, '127.0.0.1')
`
const yaml = `
name: app
dependencies: [node@22, curl]
ports:
  web: 3000
  api: {port: 4000, headers: {request: {X-Own: '1'}}}
  kept: {port: 3000, redirects: keep}
  kept-too: {port: 4000, redirects: keep, headers: {request: {X-Own: '1'}}}
command: [node, server.js]
`

let sandbox: Sandbox
let urls: Record<string, string>

beforeAll(async () => {
  sandbox = new Sandbox()
  const { endpoints } = await sandbox.json<{ endpoints: { name: string; url: string }[] }>([
    'run',
    '-d',
    sandbox.directory('app', { 'moat.yaml': yaml, 'server.js': server }),
  ])
  urls = Object.fromEntries(endpoints.map(({ name, url }) => [name, url]))
  for (const name of ['web', 'api']) await sandbox.json(['wait', 'app', name, '--timeout', '30'])
}, 120_000)
afterAll(() => sandbox.cleanUp())

const redirect = async (endpoint: string, to: string) => {
  const url = urls[endpoint] ?? ''
  const { headers } = await sandbox.get(`${url}/?to=${encodeURIComponent(to)}`)
  return String(headers.location).replace(url, '(asked)')
}

describe('a redirect', () => {
  it.each([
    ['http://localhost:3000/x', '(asked)/x'],
    ['https://localhost:3000/x?a=b#c', '(asked)/x?a=b#c'],
    ['https://localhost:3000', '(asked)'],
    ['http://127.0.0.1:3000/x', '(asked)/x'],
    ['http://0.0.0.0:3000/x', '(asked)/x'],
    ['http://[::]:3000/x', '(asked)/x'],
    ['http://[::1]:3000/x', '(asked)/x'],
    ['https://0123456789ab:3000/x', '(asked)/x'],
    ['http://localhost:3000/{http.request.host}', '(asked)/{http.request.host}'],
  ])('to %s is %s', async (to, expected) => {
    expect(await redirect('web', to)).toBe(expected)
  })

  it.each([
    ...[
      'http://localhost:4000/x',
      'http://localhost/x',
      'http://localhost:30000/x',
      'http://localhost:3000.evil.test/x',
    ],
    ...[
      'http://localhost:3000@evil.test/',
      'https://example.com:3000/x',
      'http://localhost.evil.test:3000/',
      '/x',
      'x',
    ],
    ...['//localhost:3000/x', 'http://x.localhost:3000/', 'myapp://localhost:3000/x'],
  ])('to %s stays', async (to) => {
    expect(await redirect('web', to)).toBe(to)
  })

  it('is put right for an endpoint with options too, by its own port', async () => {
    expect(await redirect('api', 'http://localhost:4000/x')).toBe('(asked)/x')
    expect(await redirect('api', 'http://localhost:3000/x')).toBe('http://localhost:3000/x')
  })

  it('stays where moat.yaml says so', async () => {
    for (const [endpoint, to] of [
      ['kept', 'http://localhost:3000/x'],
      ['kept-too', 'http://localhost:4000/x'],
    ] as const)
      expect(await redirect(endpoint, to)).toBe(to)
  })

  it('is put right at the bare host, and from inside', async () => {
    const url = `${urls.web}/?to=${encodeURIComponent('http://localhost:3000/x')}`
    const script = `curl -s -o /dev/null -w '%{redirect_url}' '${url}'; echo; curl -s -o /dev/null -w '%{redirect_url}' '${url.replace('https:', 'http:')}'`
    const { stdout } = await sandbox.inside('app', 'sh', '-c', script)
    expect(stdout).toBe(`${urls.web}/x\n${urls.web?.replace('https:', 'http:')}/x`)
  })

  it('keeps its status, its other headers and its body, after a body of its request', async () => {
    const to = encodeURIComponent('http://localhost:3000/done')
    const answer = await sandbox.get(`${urls.web}/upload?to=${to}`, { body: 'x'.repeat(300_000), method: 'POST' })
    expect(answer).toMatchObject({ body: 'got 300000', status: 303 })
    expect(answer.headers).toMatchObject({ location: `${urls.web}/done`, 'set-cookie': ['a=1', 'b=2'] })
  })
})
