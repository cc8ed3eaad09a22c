// An agent with two endpoints: `web` says who it is, `api` shows the request as it arrived. Needs no npm packages.
import { createServer } from 'node:http'

const host = process.env.HOST ?? '0.0.0.0'
const agent = process.env.MOAT_RUN_NAME ?? 'an agent outside moat'
const url = process.env.MOAT_URL_WEB ?? 'http://localhost:3000'

const web = createServer((_request, response) => {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.end(`Hello from ${agent}, at ${url}\n`)
})

const api = createServer(({ headers, method, url: path }, response) => {
  const answer = { agent, endpoint: 'api', method, path, headers, time: new Date().toISOString() }
  response.setHeader('Content-Type', 'application/json')
  response.end(`${JSON.stringify(answer)}\n`)
})

web.listen(3000, host, () => console.log('web listens on 3000'))
api.listen(4000, host, () => console.log('api listens on 4000'))

// The first process of a container gets no default action for SIGTERM: without this, stopping takes the full grace time.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit())
