// Services that want a credential, for real clients: a git host, a registry of packages, an API.
import { execFileSync, spawn } from 'node:child_process'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { StubAnswer } from './stub-hosts.js'

/** What the containers of these tests have: one image for all. */
export const clientDependencies =
  'dependencies: [node@22, git, gh, curl, openssh-client, "apt:openssh-server", "apt:python3-requests", "apt:python3-httpx", "apt:python3-pip"]'

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

/** An index of packages as pip reads one, with one package in it, for whoever has the password. */
export function pypiService(password: () => string): StubAnswer {
  const wheel = smallWheel()
  return ({ headers, url = '' }, response) => {
    const [, pair = ''] = /^Basic (.*)$/.exec(headers.authorization ?? '') ?? []
    if (Buffer.from(pair, 'base64').toString() !== `__token__:${password()}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="pypi"' }).end()
    } else if (url === '/simple/thing/') {
      response.writeHead(200, { 'content-type': 'text/html' })
      response.end('<a href="/files/thing-1.0-py3-none-any.whl">thing-1.0-py3-none-any.whl</a>')
    } else if (url.startsWith('/files/')) response.end(wheel)
    else response.writeHead(404).end()
  }
}

/** Made by Python, which reads it. */
function smallWheel(): Buffer {
  const script = `import io, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, 'w') as wheel:
  info = 'thing-1.0.dist-info/'
  wheel.writestr('thing.py', 'answer = 42\\n')
  wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n')
  wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
  wheel.writestr(info + 'RECORD', 'thing.py,,\\n' + ''.join(info + name + ',,\\n' for name in ('METADATA', 'WHEEL', 'RECORD')))
sys.stdout.buffer.write(out.getvalue())`
  return execFileSync('python3', ['-c', script])
}

/** GitHub's API, as far as `gh api user` goes: of one's own server below /api/v3. */
export function githubService(token: () => string): StubAnswer {
  return ({ headers, url }, response) => {
    const isKnown = headers.authorization === `Bearer ${token()}`
    response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isKnown && url === '/api/v3/user' ? { login: 'robot' } : { message: 'no' }))
  }
}

/**
 * Two APIs of models that answer word by word: each word goes out once the client has told that it has read the one before, so a
 * stream that is held back anywhere never ends.
 */
export function modelService(token: () => string): StubAnswer {
  const words = ['one', 'two', 'three']
  const waiting = new Map<string, () => void>()
  return async (request, response) => {
    const { headers, url = '' } = request
    const [path, read = ''] = url.split('?read=')
    if (path === '/read') {
      waiting.get(read)?.()
      return void response.end()
    }
    if (headers['x-api-key'] !== token() && headers.authorization !== `Bearer ${token()}`)
      return void response.writeHead(401).end('{}')
    const isAnthropic = path === '/v1/messages'
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (isAnthropic)
      response.write(event({ message: { content: [], role: 'assistant', usage: {} }, type: 'message_start' }))
    if (isAnthropic)
      response.write(event({ content_block: { text: '', type: 'text' }, index: 0, type: 'content_block_start' }))
    for (const word of words) {
      const isRead = new Promise<void>((resolve) => waiting.set(word, resolve))
      response.write(
        isAnthropic
          ? event({ delta: { text: word, type: 'text_delta' }, index: 0, type: 'content_block_delta' })
          : event({ choices: [{ delta: { content: word }, index: 0 }] }),
      )
      await isRead
    }
    response.end(isAnthropic ? event({ type: 'message_stop' }) : 'data: [DONE]\n\n')
  }
}

function event(data: { type?: string } & Record<string, unknown>): string {
  return `${data.type === undefined ? '' : `event: ${data.type}\n`}data: ${JSON.stringify(data)}\n\n`
}

async function bodyOf(request: Http2ServerRequest): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString()
}
