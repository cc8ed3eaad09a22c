// Services that want a credential, for real clients: a git host, a registry of packages, an API.
import { spawn } from 'node:child_process'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { StubAnswer } from './stub-hosts.js'

/** A request as a service saw it. */
export interface SeenRequest {
  authorization: string | undefined
  headers: Readonly<Record<string, unknown>>
  host: string
  url: string
}

/** Answers by the name of the host, and keeps what was asked. */
export function services(answers: Readonly<Record<string, StubAnswer>>): { answer: StubAnswer; seen: SeenRequest[] } {
  const seen: SeenRequest[] = []
  return {
    answer: (request, response) => {
      const { headers, url = '' } = request
      const host = String(headers[':authority'] ?? headers.host ?? '').replace(/:.*/, '')
      seen.push({ authorization: headers.authorization, headers, host, url })
      const answer = answers[host]
      if (answer) answer(request, response)
      else response.writeHead(404).end()
    },
    seen,
  }
}

/** `git http-backend` for the repositories in a directory, for whoever has the password. */
export function gitService(directory: string, password: () => string): StubAnswer {
  return (request, response) => {
    const { headers, method, url = '' } = request
    const [, pair = ''] = /^Basic (.*)$/.exec(headers.authorization ?? '') ?? []
    if (Buffer.from(pair, 'base64').toString() !== `oauth2:${password()}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
      return
    }
    const [path, query = ''] = url.split('?')
    const env = {
      CONTENT_TYPE: headers['content-type'] ?? '',
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROJECT_ROOT: directory,
      HTTP_CONTENT_ENCODING: String(headers['content-encoding'] ?? ''),
      HTTP_GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      PATH: process.env.PATH,
      PATH_INFO: path,
      QUERY_STRING: query,
      REMOTE_USER: 'robot',
      REQUEST_METHOD: method,
    }
    const backend = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
    request.pipe(backend.stdin)
    void sendCgi(backend.stdout, response)
  }
}

/** What a program of CGI writes: headers, an empty line, a body. */
async function sendCgi(output: NodeJS.ReadableStream, response: Http2ServerResponse): Promise<void> {
  const pieces: Buffer[] = []
  for await (const piece of output) pieces.push(Buffer.from(piece))
  const all = Buffer.concat(pieces)
  const end = all.indexOf('\r\n\r\n')
  let status = 200
  for (const line of all.subarray(0, end).toString().split('\r\n')) {
    const [, name = '', value = ''] = /^([^:]+): (.*)$/.exec(line) ?? []
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
    else if (name !== '') response.setHeader(name, value)
  }
  response.writeHead(status).end(all.subarray(end + 4))
}

/** A registry of npm's, for whoever has the token: what is published can be installed. */
export function npmService(token: () => string): StubAnswer {
  const packages = new Map<string, Record<string, unknown> & { _attachments?: Record<string, { data: string }> }>()
  return (request, response) => {
    const url = decodeURIComponent(request.url ?? '')
    if (request.headers.authorization !== `Bearer ${token()}`) return void response.writeHead(401).end('{}')
    if (url === '/-/whoami') return void response.end('{"username":"robot"}')
    const [, name = '', file] = /^\/((?:@[^/]+\/)?[^/]+)(?:\/-\/(.+))?$/.exec(url) ?? []
    if (request.method === 'PUT') {
      void bodyOf(request).then((text) => {
        packages.set(name, JSON.parse(text))
        response.writeHead(201).end('{}')
      })
      return
    }
    const found = packages.get(name)
    if (!found) return void response.writeHead(404).end('{}')
    if (file === undefined) return void response.end(JSON.stringify({ ...found, _attachments: undefined }))
    const [attachment] = Object.values(found._attachments ?? {})
    response.end(Buffer.from(attachment?.data ?? '', 'base64'))
  }
}

async function bodyOf(request: Http2ServerRequest): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString()
}
