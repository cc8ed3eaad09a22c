// Owns what the set-up asks of a container engine: over its API, as a machine may have no docker command. Runs on any
// Node since 16 and needs no package, for it works before either is brought.
//   engine.mjs ping | has IMAGE | pull IMAGE | import IMAGE [CHANGE…] <tar | build IMAGE <tar
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A pull that has not moved for this long is given up, in milliseconds. */
const PULL_IDLE_LIMIT = 20_000

/** The address in the Docker CLI's context in use; undefined for its default one. */
function contextAddress(env, home) {
  const directory = env.DOCKER_CONFIG || join(home, '.docker')
  try {
    const name = env.DOCKER_CONTEXT || JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')).currentContext
    if (!name || name === 'default') return undefined
    const id = createHash('sha256').update(name).digest('hex')
    return JSON.parse(readFileSync(join(directory, 'contexts', 'meta', id, 'meta.json'), 'utf8')).Endpoints.docker.Host
  } catch {
    // Without the Docker CLI there is no such file; moat itself says so when a context that is named is missing.
    return undefined
  }
}

/** Where an engine may answer, in the order moat itself asks (src/engine/engine-candidates.ts). */
function addresses(env, home) {
  const context = env.DOCKER_HOST || contextAddress(env, home)
  if (env.DOCKER_HOST || (context && env.DOCKER_CONTEXT)) return [context]
  const runtime = env.XDG_RUNTIME_DIR
  const sockets = [
    '/var/run/docker.sock',
    ...(runtime ? [join(runtime, 'docker.sock')] : []),
    join(home, '.docker/run/docker.sock'),
    join(home, '.docker/desktop/docker.sock'),
    join(home, '.orbstack/run/docker.sock'),
    join(home, '.colima/default/docker.sock'),
    join(home, '.rd/docker.sock'),
    ...(runtime ? [join(runtime, 'podman/podman.sock')] : []),
    '/run/podman/podman.sock',
  ].map((path) => `unix://${path}`)
  return context ? [context, ...sockets] : sockets
}

function target(address) {
  if (address.startsWith('unix://')) return { socketPath: address.slice('unix://'.length) }
  const { protocol, hostname, port } = new URL(address.includes('://') ? address : `tcp://${address}`)
  if (protocol !== 'tcp:' && protocol !== 'http:') throw new Error('only unix:// and tcp:// are supported')
  return { host: hostname, port: port || 2375 }
}

/** Sends one request; resolves with status and body. `body` is a stream, piped as a tar; `idle` is in milliseconds. */
function ask(address, method, path, { body, idle } = {}) {
  return new Promise((resolve, reject) => {
    const headers = { Host: 'engine', ...(body ? { 'Content-Type': 'application/x-tar' } : {}) }
    const call = request({ ...target(address), headers, method, path }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode, text }))
    })
    if (idle) call.setTimeout(idle, () => call.destroy(new Error(`no progress for ${idle / 1000} s`)))
    call.on('error', reject)
    if (body) body.pipe(call)
    else call.end()
  })
}

const reasons = {
  EACCES: 'permission denied',
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'no such socket',
}

async function findEngine() {
  const rejected = []
  for (const address of addresses(process.env, homedir())) {
    try {
      const { status } = await ask(address, 'GET', '/_ping', { idle: 10_000 })
      if (status === 200) return address
      rejected.push(`${address}: answers ${status}`)
    } catch (error) {
      rejected.push(`${address}: ${reasons[error.code] ?? error.message}`)
    }
  }
  throw new Error(rejected.join('\n  '))
}

/** The engine answers 200 and reports a failure in the middle of its stream of JSON lines. */
function failUnlessDone({ status, text }) {
  const lines = text.split('\n').filter((line) => line.trim())
  const parsed = lines.map((line) => {
    try {
      return JSON.parse(line)
    } catch {
      return { error: line }
    }
  })
  const failure = parsed.find((entry) => entry.error ?? entry.message)
  if (status !== 200 || failure) throw new Error(failure?.error ?? failure?.message ?? `the engine answers ${status}`)
}

const split = (image) => ({
  repo: image.slice(0, image.lastIndexOf(':')),
  tag: image.slice(image.lastIndexOf(':') + 1),
})

const actions = {
  ping: async (address) => console.log(address),
  has: async (address, image) => {
    const { status } = await ask(address, 'GET', `/images/${image}/json`)
    if (status !== 200) process.exitCode = 1
  },
  pull: async (address, image) => {
    const { repo, tag } = split(image)
    const query = new URLSearchParams({ fromImage: repo, tag })
    failUnlessDone(await ask(address, 'POST', `/images/create?${query}`, { idle: PULL_IDLE_LIMIT }))
  },
  import: async (address, image, ...changes) => {
    const query = new URLSearchParams({ fromSrc: '-', ...split(image) })
    for (const change of changes) query.append('changes', change)
    failUnlessDone(await ask(address, 'POST', `/images/create?${query}`, { body: process.stdin }))
  },
  build: async (address, image) => {
    const query = new URLSearchParams({ t: image, rm: '1', forcerm: '1' })
    failUnlessDone(await ask(address, 'POST', `/build?${query}`, { body: process.stdin }))
  },
}

const [action = '', ...args] = process.argv.slice(2)
try {
  await actions[action](await findEngine(), ...args)
} catch (error) {
  console.log(error.message)
  process.exitCode = 1
}
