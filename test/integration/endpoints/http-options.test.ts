// The options of the built-in endpoint type, as a client and the server in the container see them.
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

/** Answers with what it was asked. */
const echo = `require('node:http').createServer((request, response) => {
  response.setHeader('X-App', 'yes')
  response.end(JSON.stringify({ headers: request.headers, method: request.method, url: request.url }))
}).listen(3000)`

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = new Sandbox()
  await sandbox.json(['proxy', 'start'])
})
afterEach(() => sandbox.renew())
afterAll(() => sandbox.cleanUp())

/** Starts an agent detached and waits until its first endpoint answers. Its URLs by endpoint. */
async function start(ports: object, server = echo, extra = ''): Promise<Record<string, string>> {
  const workspace = sandbox.directory('app', {
    'moat.yaml': `name: app\ndependencies: [node@22]\nports: ${JSON.stringify(ports)}\ncommand: [node, server.js]\n${extra}`,
    'server.js': server,
  })
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', workspace])
  expect(await sandbox.moat(['wait', 'app', '--timeout', '20'])).toMatchObject({ code: 0 })
  return Object.fromEntries(endpoints.map(({ name, url }) => [name, url]))
}

const bare = (url = '') => url.replace(/\/\/\w+\./, '//')

describe('http', () => {
  it('puts a path in front, but not twice', async () => {
    const { dollar, web } = await start({ dollar: { path: '/a$1', port: 3000 }, web: { path: '/base', port: 3000 } })
    const asked = async (path: string) => JSON.parse((await sandbox.get(`${web}${path}`)).body).url
    expect(await asked('/')).toBe('/base/')
    expect(await asked('/a%20b?c=%7Bd%7D&e')).toBe('/base/a%20b?c=%7Bd%7D&e')
    // What a client sends is never filled in, in a path or a query.
    for (const path of ['/?{env.HOME}', '/{env.HOME}', '/%3F%7Benv.HOME%7D', '/a%2Fb?x={file./etc/hostname}'])
      expect(decodeURIComponent(await asked(path))).toBe(`/base${decodeURIComponent(path)}`)
    expect(await asked('/base')).toBe('/base')
    expect(JSON.parse((await sandbox.get(`${dollar}/b`)).body).url).toBe('/a$1/b')
    expect(await asked('/base/x')).toBe('/base/x')
    expect(await asked('/basement')).toBe('/base/basement')
    // Small and capital letters are different paths, and what is escaped arrives so.
    for (const path of ['/BASE', '/Base/x', '/@scope%2Fname', '/api/queues/%2F/q', '/a//b', '/%41', '/%C3%A9'])
      expect(await asked(path)).toBe(`/base${path}`)
  })

  it('sets and removes headers, and takes braces in them as they stand', async () => {
    const { web } = await start({
      web: {
        headers: {
          request: { 'User-Agent': null, 'X-Host-Home': '{env.HOME}' },
          response: { 'X-App': null, 'X-Leak': '{file./etc/hostname}' },
        },
        port: 3000,
      },
    })
    const answer = await sandbox.get(`${web}/`, { headers: { 'User-Agent': 'test' } })
    expect(JSON.parse(answer.body).headers).toMatchObject({ 'x-host-home': '{env.HOME}' })
    expect(answer.body).not.toContain('test')
    expect(answer.headers).toMatchObject({ 'x-leak': '{file./etc/hostname}' })
    expect(answer.headers).not.toHaveProperty('x-app')
  })

  it('shows the app another Host, and knows by itself which one was asked for', async () => {
    // Once it has answered, it listens no more and keeps no connection, but goes on running.
    const closes = `if (request.url === '/close') response.on('close', () => { server.close(); server.closeAllConnections() })`
    const closing = `${echo.replace('require(', 'const server = require(').replace("response.setHeader('X-App', 'yes')", closes)}
setInterval(() => {}, 1000)`
    const request = {
      Accept: 'application/json',
      'Accept-Encoding': null,
      Host: 'localhost:3000',
      'Sec-Fetch-Mode': 'cors',
      'X-Real-IP': '10.0.0.7',
    }
    const { api, web } = await start(
      { api: 3000, web: { headers: { request, response: { 'X-Moat-Error': 'none' } }, port: 3000 } },
      closing,
    )
    const { host } = new URL(web ?? '')
    const forged = { headers: { accept: 'text/html', forwarded: 'for=6.6.6.6', 'x-real-ip': '6.6.6.6' } }
    const { headers } = JSON.parse((await sandbox.get(`${web}/`, forged)).body)
    expect(headers).toMatchObject({
      accept: 'application/json',
      host: 'localhost:3000',
      'x-forwarded-host': host,
      'x-real-ip': '10.0.0.7',
    })
    expect(headers).not.toHaveProperty('forwarded')
    expect(JSON.parse((await sandbox.get(`${api}/`)).body).headers.host).toBe(new URL(api ?? '').host)
    await sandbox.get(`${web}/close`)
    const answer = await until('the server to be gone', async () => {
      const found = await sandbox.get(`${web}/`, { headers: { accept: 'application/json' } })
      return found.status >= 500 && found
    })
    expect(JSON.parse(answer.body)).toMatchObject({ agent: 'app', endpoint: 'web' })
    expect(answer.headers['x-moat-error']).toBe('starting')
    // Whether it is shown a page, and how soon, is for the browser to say.
    const browser = { accept: 'text/html,*/*', 'sec-fetch-mode': 'navigate' }
    const timed = async (headers: Record<string, string>) => {
      const asked = performance.now()
      return { answer: await sandbox.get(`${web}/`, { headers }), took: performance.now() - asked }
    }
    const [page, program] = await Promise.all([timed(browser), timed({})])
    expect(page.answer.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8' })
    // Programs are held for five seconds.
    expect(page.took).toBeLessThan(program.took - 1_000)
  })

  it('asks for a password, which stands nowhere', async () => {
    const { web } = await start({ web: { basic_auth: { ann: 's3cret' }, port: 3000 } })
    const as = (user: string) => ({ headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } })
    expect(await sandbox.get(`${web}/`)).toMatchObject({
      headers: { 'www-authenticate': 'Basic realm="moat"' },
      status: 401,
    })
    expect((await sandbox.get(`${web}/`, as('ann:wrong'))).status).toBe(401)
    expect((await sandbox.get(`${web}/`, as('ann:s3cret'))).status).toBe(200)
    expect((await sandbox.get(`${bare(web)}/`)).status).toBe(401)
    const [container] = await sandbox.containers()
    const inspected = await sandbox.docker.getContainer(container?.Id ?? '').inspect()
    expect(JSON.stringify(inspected)).not.toContain('s3cret')
  })

  it('leads the bare host of an agent with several endpoints to the default one', async () => {
    const { api } = await start({
      web: 3000,
      api: { default: true, headers: { request: { 'X-Api': '1' } }, port: 3000 },
    })
    expect(JSON.parse((await sandbox.get(`${bare(api)}/`)).body).headers).toMatchObject({ 'x-api': '1' })
  })

  it('speaks https to a container with a certificate of its own, and keeps the Host', async () => {
    const workspace = sandbox.directory('app')
    const subject = [
      '-subj',
      '/CN=self',
      '-days',
      '2',
      '-keyout',
      `${workspace}/key.pem`,
      '-out',
      `${workspace}/cert.pem`,
    ]
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject], { stdio: 'ignore' })
    const server = echo
      .replace('node:http', 'node:https')
      .replace(
        'createServer(',
        "createServer({ cert: require('node:fs').readFileSync('cert.pem'), key: require('node:fs').readFileSync('key.pem') }, ",
      )
    const { web } = await start({ web: { port: 3000, protocol: 'https' } }, server)
    expect(JSON.parse((await sandbox.get(`${web}/`)).body).headers.host).toBe(new URL(web ?? '').host)
  })

  it('speaks h2c: a gRPC call with its messages, its trailers and its errors', async () => {
    const server = `const { Server, ServerCredentials } = require('@grpc/grpc-js')
const same = (value) => value
const method = (path, responseStream) => ({ path, requestDeserialize: same, requestSerialize: same, requestStream: false, responseDeserialize: same, responseSerialize: same, responseStream })
const server = new Server()
server.addService({ Count: method('/test.Echo/Count', true), Say: method('/test.Echo/Say', false) }, {
  Count: (call) => { for (const letter of call.request.toString()) call.write(Buffer.from(letter)); call.end() },
  Say: (call, done) => call.request.length ? done(null, Buffer.from('hello ' + call.request)) : done({ code: 3, details: 'nobody' }),
})
server.bindAsync('0.0.0.0:3000', ServerCredentials.createInsecure(), () => {})`
    const mounts = `mounts: ["${resolve('node_modules')}:/node_modules:ro"]\n`
    const { rpc } = await start({ rpc: { port: 3000, protocol: 'h2c' } }, server, mounts)
    const { hostname, port } = new URL(rpc ?? '')
    const client = new Client(`127.0.0.1:${port}`, credentials.createSsl(Buffer.from(sandbox.certificate)), {
      'grpc.default_authority': `${hostname}:${port}`,
      'grpc.ssl_target_name_override': hostname,
    })
    const same = (value: Buffer) => value
    const say = (name: string) =>
      new Promise<string>((done, fail) => {
        const request = Buffer.from(name)
        client.makeUnaryRequest('/test.Echo/Say', same, same, request, (error, reply) => {
          if (error) fail(error)
          else done(String(reply))
        })
      })
    try {
      expect(await say('ann')).toBe('hello ann')
      const failure = await say('').catch((error: ServiceError) => error)
      expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, details: 'nobody' })
      const letters: string[] = []
      for await (const letter of client.makeServerStreamRequest('/test.Echo/Count', same, same, Buffer.from('abc')))
        letters.push(String(letter))
      expect(letters).toEqual(['a', 'b', 'c'])
    } finally {
      client.close()
    }
  })
})
