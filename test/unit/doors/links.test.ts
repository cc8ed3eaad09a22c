// Links to the sockets of agents, in directories in which a hostile container does what it likes.
import { execFile, execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { isDeepStrictEqual, promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeAgentDirectory } from '../../../src/doors/agent-directory.js'
import { linkSocket, NotASocketError } from '../../../src/doors/link-socket.js'
import { Links } from '../../../src/doors/links.js'
import { emptyTable, type RouteTable } from '../../../src/routing/route-table.js'
import { until } from '../../helpers/until.js'

const runId = 'run_0123456789ab'
const uid = process.geteuid?.() ?? 0
const table: RouteTable = {
  ...emptyTable,
  doors: [{ agent: 'app', host: 'web.app.localhost', port: 3000, runId }],
  inside: [{ agent: 'app', runId }],
}

let directory: string
let links: Links
let log: string[]
let servers: Server[]

const proxy = (...path: string[]) => join(directory, ...path)
const inside = (name: string) => proxy('agents', runId, 'in', name)
const newLinks = (lookInterval?: number) =>
  new Links({
    ...(lookInterval !== undefined && { lookInterval }),
    domain: 'localhost',
    log: (line) => log.push(line),
    paths: { agents: proxy('agents'), proxy: directory },
    uid,
  })

/** Listens as the forwarder in a container does, and answers with a word. */
async function listen(path: string, word: string): Promise<Server> {
  const server = createServer((socket) => socket.end(word))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return server
}
const relay = async (word: string) => {
  for (const name of ['3000', '3000.quick']) await listen(inside(name), word)
}
const answer = (host = 'web.app.localhost') =>
  text(connect(proxy('hosts', host))).catch((error) => error.code as string)

beforeEach(async () => {
  // Short: the name of a socket has an end.
  directory = mkdtempSync(join(tmpdir(), 'ml-'))
  log = []
  servers = []
  await makeAgentDirectory({ agents: proxy('agents') }, runId)
  links = newLinks()
})
afterEach(() => {
  links.leave()
  for (const server of servers) server.close()
  rmSync(directory, { force: true, recursive: true })
})

describe('links', () => {
  it('lead from each host to the agent, which is known by its names', async () => {
    await relay('app')
    await links.apply(table)
    expect(await answer()).toBe('app')
    expect(readdirSync(proxy('quick'))).toEqual(['web.app.localhost'])
    expect(readdirSync(proxy('expected'))).toEqual(['web.app.localhost'])
    expect(readdirSync(proxy('own'))).toEqual(['app@123:4567:89ab::'])
    expect(readdirSync(proxy('names'))).toEqual(['127.0.0.1', '::1', 'app.localhost', 'localhost'])
    expect(readdirSync(proxy('staging'))).toEqual([])
  })

  it('go with the agent, and all that an earlier supervisor left with them', async () => {
    await relay('app')
    await links.apply(table)
    links.leave()
    links = newLinks()
    await links.apply(emptyTable)
    for (const name of ['expected', 'hosts', 'own', 'quick', 'ways']) expect(readdirSync(proxy(name))).toEqual([])
    expect(readdirSync(proxy('names'))).toEqual(['127.0.0.1', '::1', 'localhost'])
  })

  it('are made as soon as a container that is just starting has its sockets', async () => {
    const applied = links.apply(table)
    await until('the host to be expected', () => readdirSync(proxy('expected')).length > 0)
    expect(await answer()).toBe('ENOENT')
    await relay('late')
    await applied
    expect(await answer()).toBe('late')
  })

  it('are made anew when a container makes new sockets, with nobody asking', async () => {
    await relay('first')
    await links.apply(table)
    for (const name of ['3000', '3000.quick']) unlinkSync(inside(name))
    await relay('second')
    await until('the new sockets', async () => (await answer()) === 'second')
  })

  it('and names that somebody has removed are made again at the next look', async () => {
    links = newLinks(50)
    await relay('app')
    await links.apply(table)
    const all = ['expected', 'hosts', 'names', 'own', 'quick']
    const content = () => all.map((name) => readdirSync(proxy(name), { recursive: true }).toSorted())
    const before = content()
    for (const name of [...all, 'staging']) rmSync(proxy(name), { recursive: true })
    const isBack = () => all.every((name) => existsSync(proxy(name))) && isDeepStrictEqual(content(), before)
    await until('all of it', isBack)
    expect(await answer()).toBe('app')
    for (const name of ['hosts/web.app.localhost', 'own/app@123:4567:89ab::']) rmSync(proxy(name))
    await until('the two', isBack)
  })

  it('of one agent more have nothing of the others looked at, until their turn comes', async () => {
    await relay('app')
    await links.apply(table)
    rmSync(proxy('hosts', 'web.app.localhost'))
    const other = 'run_ffffffffffff'
    await makeAgentDirectory({ agents: proxy('agents') }, other)
    for (const name of ['3000', '3000.quick']) await listen(proxy('agents', other, 'in', name), 'other')
    const door = { agent: 'other', host: 'web.other.localhost', port: 3000, runId: other }
    await links.apply({ ...table, doors: [...table.doors, door] })
    expect(readdirSync(proxy('hosts'))).toEqual(['web.other.localhost'])
    expect(await answer('web.other.localhost')).toBe('other')
    await links.apply({ ...table, doors: [door], inside: [] })
    expect(readdirSync(proxy('expected'))).toEqual(['web.other.localhost'])
    expect(readdirSync(proxy('quick'))).toEqual(['web.other.localhost'])
    expect(readdirSync(proxy('own'))).toEqual([])
    expect(readdirSync(proxy('names'))).toEqual(['127.0.0.1', '::1', 'localhost', 'other.localhost'])
  })

  it('leave nothing of what an earlier moat had in directories', async () => {
    for (const path of ['own/123:4567:89ab::', 'ports/web.app.localhost']) mkdirSync(proxy(path), { recursive: true })
    writeFileSync(proxy('own/123:4567:89ab::/app'), '')
    writeFileSync(proxy('ports/web.app.localhost/3000'), '')
    await relay('app')
    await links.apply(table)
    expect(readdirSync(proxy('own'))).toEqual(['app@123:4567:89ab::'])
    expect(readdirSync(proxy('ports'))).toEqual(['web.app.localhost:3000'])
  })

  it('of one agent do not wait for another that never makes its sockets', async () => {
    const other = 'run_ffffffffffff'
    await makeAgentDirectory({ agents: proxy('agents') }, other)
    await relay('app')
    const door = { agent: 'slow', host: 'web.slow.localhost', port: 3000, runId: other }
    await links.apply({ ...table, doors: [...table.doors, door] })
    // Waited for once, when it was new.
    const start = performance.now()
    await links.apply({ ...table, doors: [...table.doors, door] })
    expect(performance.now() - start).toBeLessThan(500)
    expect(await answer()).toBe('app')
  })
})

describe('a hostile container', () => {
  const tricks: [string, (path: string) => unknown][] = [
    ['a link to a socket of the user', (path) => symlinkSync(proxy('secret.sock'), path)],
    [
      'a link to a link',
      (path) => {
        symlinkSync(proxy('secret.sock'), `${path}.1`)
        symlinkSync(`${path}.1`, path)
      },
    ],
    ['a FIFO', (path) => execFileSync('mkfifo', [path])],
    ['a file', (path) => writeFileSync(path, 'x')],
    ['a directory', (path) => execFileSync('mkdir', [path])],
    ['a loop of links', (path) => symlinkSync(path, path)],
  ]

  it.each(tricks)('that puts %s in place of its socket is not dialled', async (_, trick) => {
    await listen(proxy('secret.sock'), 'secret')
    await trick(inside('3000'))
    await trick(inside('3000.quick'))
    const applied = links.apply(table)
    await until('a complaint', () => /not a socket|EISDIR|EPERM/.test(log.join()))
    expect(readdirSync(proxy('hosts'))).toEqual([])
    await until('both to be let go', () => readdirSync(proxy('staging')).length === 0)
    links.leave()
    await applied
  })

  it('that replaces it later loses what led there, or nothing changes', async () => {
    await listen(proxy('secret.sock'), 'secret')
    await relay('app')
    await links.apply(table)
    renameSync(inside('3000'), inside('old'))
    symlinkSync(proxy('secret.sock'), inside('3000'))
    await until('a complaint', () => log.length > 0)
    expect(await answer()).not.toBe('secret')
    expect(log.join()).toContain('not a socket')
  })

  it('that does so all the time never has the proxy reach another socket, nor it work without end', async () => {
    await listen(proxy('secret.sock'), 'secret')
    await relay('app')
    await links.apply(table)
    const before = process.cpuUsage()
    const script = `cd ${proxy('agents', runId, 'in')} && mv 3000 real; end=$(($(date +%s) + 2)); while [ $(date +%s) -lt $end ]; do ln -sfn ${proxy('secret.sock')} 3000; ln -fn real 3000; mkfifo y 2>/dev/null; rm -f y; done`
    const flapping = promisify(execFile)('sh', ['-c', script])
    const answers = new Set<string>()
    let ended = false
    void flapping.then(() => {
      ended = true
    })
    while (!ended) answers.add(await answer())
    const used = process.cpuUsage(before)
    expect([...answers]).not.toContain('secret')
    // What asks all the time is this test; the links alone take a hundredth of it.
    expect((used.user + used.system) / 1e6).toBeLessThan(2)
    await until('its own socket again', async () => (await answer()) === 'app')
    for (const host of readdirSync(proxy('hosts'))) expect(lstatSync(proxy('hosts', host)).isSocket()).toBe(true)
  }, 15_000)

  it('cannot have another user’s socket taken for its own', async () => {
    await listen(inside('3000'), 'app')
    const options = { staging: proxy(), uid: uid + 1 }
    expect(() => linkSocket(inside('3000'), [proxy('target')], options)).toThrow(NotASocketError)
    expect(readdirSync(proxy())).toEqual(['agents'])
  })
})
