// Node's servers behind the proxy, as they are and with the line that moat run names for each.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { install } from '../../helpers/npm-project.js'
import { Sandbox } from '../../helpers/sandbox.js'

interface Started {
  endpoints: { name: string; url: string }[]
  notes?: string[]
}

const server = (express: string, fastify: string, koa: string) => `
{ const app = require('express')(); ${express}; app.get('/', (request, response) => response.send(request.protocol)); app.listen(3000) }
{ const Fastify = require('fastify'); const app = ${fastify}; app.get('/', async (request) => request.protocol); app.listen({ port: 3001 }) }
{ const app = new (require('koa'))(); ${koa}; app.use((context) => { context.body = context.protocol }); app.listen(3002) }
`

let sandbox: Sandbox

beforeAll(() => {
  sandbox = new Sandbox()
})
afterAll(() => sandbox.cleanUp())

it('Express, Fastify and Koa know that they are reached by https with the lines that are named', async () => {
  const project = sandbox.directory('app', {
    'moat.yaml':
      'name: app\ndependencies: [node@22]\nports: {express: 3000, fastify: 3001, koa: 3002}\ncommand: [node, server.js]\n',
    'package.json': '{"name": "app"}',
  })
  await install(project, ['express@5.3.0', 'fastify@5.12.8', 'koa@3.3.0'])
  const run = async (...lines: [string, string, string]) => {
    writeFileSync(join(project, 'server.js'), server(...lines))
    const started = await sandbox.json<Started>(['run', '-d', project])
    const answers: string[] = []
    for (const { name, url } of started.endpoints) {
      await sandbox.json(['wait', 'app', name, '--timeout', '30'])
      answers.push((await sandbox.get(url)).body)
    }
    await sandbox.json(['stop', 'app'])
    return { answers, notes: started.notes }
  }
  const bare = await run('', 'Fastify()', '')
  expect(bare.answers).toEqual(['http', 'http', 'http'])
  const lines = bare.notes?.map((note) => /add to the file that makes the app: (.*)$/.exec(note)?.[1] ?? '') ?? []
  expect(lines).toHaveLength(3)
  const told = await run(...(lines as [string, string, string]))
  expect(told).toEqual({ answers: ['https', 'https', 'https'], notes: undefined })
}, 180_000)
