// The doors: who gets in, what the proxy is told of them, and what the supervisor can have done.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { Doors } from '../../helpers/doors.js'
import { forwarderProgram } from '../../helpers/forwarder-process.js'
import { until } from '../../helpers/until.js'

const agent = 'run_1a2b3c4d5e6f'
const other = 'run_ffeeddccbbaa'
/** PROXY protocol, version 2: from port 1 of the agent's id to port 1 of ::1. */
const headerOf = (id: string) =>
  ['0d0a0d0a000d0a515549540a', '21', '21', '0024', id, '0'.repeat(20), '0'.repeat(30), '01', '0001', '0001'].join('')
const header = headerOf('1a2b3c4d5e6f')

let doors: Doors

afterEach(async () => {
  await doors.end()
})

const ask = async (from: string, question: Buffer | string) => {
  const client = await doors.connect(from)
  client.end(question)
  return (await buffer(client)).toString()
}

/** Resolves with the first bytes of the answer; the connection stays open. */
const knock = async (from: string): Promise<{ answer: Promise<string>; client: Socket }> => {
  const client = await doors.connect(from)
  client.write('x')
  return { answer: once(client, 'data').then(([data]) => String(data)), client }
}

const hasEnded = (socket: Socket) =>
  new Promise<boolean>((resolve) => {
    socket.on('end', () => resolve(true)).on('close', () => resolve(true))
    socket.resume()
  })

describe('who comes in', () => {
  it('is told to the proxy, whose socket depends on the first byte', async () => {
    doors = await Doors.start([agent, other])
    await doors.listen()
    expect(await ask(agent, 'GET')).toBe(`plain ${header}474554`)
    expect(await ask(other, Buffer.from([0x16, 3, 1]))).toBe(`tls ${headerOf('ffeeddccbbaa')}160301`)
    // What a client says about itself is what it says.
    const claim = Buffer.from(headerOf('ffeeddccbbaa'), 'hex')
    expect(await ask(agent, claim)).toBe(`plain ${header}${claim.toString('hex')}`)
  })

  it('may be any user of a container', async () => {
    doors = await Doors.start([agent])
    expect(lstatSync(doors.path(agent)).mode & 0o777).toBe(0o666)
    expect(statSync(doors.control).mode & 0o777).toBe(0o600)
  })

  it('sends and receives as much as it wants', async () => {
    doors = await Doors.start([agent])
    let size = 0
    await doors.servers.listen((socket) => {
      socket.on('data', (data) => (size += data.length)).on('end', () => socket.end(`${size}`))
    }, doors.plain)
    expect(await ask(agent, Buffer.alloc(100_000_000, 'x'))).toBe(`${100_000_000 + 52}`)
    expect(doors.process.memory()).toBeLessThan(500)
  })

  it('waits while the proxy is started anew', async () => {
    doors = await Doors.start([agent])
    const early = ask(agent, 'a')
    await until('it to be held', async () => (await doors.tell('scan\n')).endsWith(' 1 1\n'))
    const [, plain] = await doors.listen()
    expect(await early).toBe(`plain ${header}61`)
    if (plain) await doors.servers.close(plain)
    const late = ask(agent, 'b')
    await until('it to be held', async () => (await doors.tell('scan\n')).endsWith(' 1 1\n'))
    await doors.servers.listen((socket) => socket.resume().end('new'), doors.plain)
    expect(await late).toBe('new')
  })

  it('is let go after five seconds without a proxy', async () => {
    doors = await Doors.start([agent])
    const start = performance.now()
    const client = await doors.connect(agent)
    client.write('a')
    expect(await hasEnded(client)).toBe(true)
    expect(performance.now() - start).toBeGreaterThan(4_900)
    expect(performance.now() - start).toBeLessThan(8_000)
  })
})

describe('the limit', () => {
  it('is each agent’s own', async () => {
    doors = await Doors.start([agent, other])
    await doors.listen()
    const all = await Promise.all(Array.from({ length: 500 }, () => knock(agent)))
    await Promise.all(all.map(({ answer }) => answer))
    const next = await knock(agent)
    let answered = false
    void next.answer.then(() => (answered = true))
    // Another agent's first is served while it waits.
    expect(await ask(other, 'x')).toContain('plain')
    expect(await doors.tell('scan\n')).toMatch(/ 2 500\n$/)
    expect(answered).toBe(false)
    all[0]?.client.destroy()
    expect(await next.answer).toContain('plain')
  })

  it('of descriptors is reached first by who has most connections', async () => {
    const limited = ['sh', '-c', 'ulimit -n 160; exec "$@"', 'sh', forwarderProgram]
    doors = await Doors.start([agent, other], [], limited)
    await doors.listen()
    let answered = 0
    const many = await Promise.all(Array.from({ length: 200 }, () => knock(agent)))
    for (const { answer } of many) void answer.then(() => (answered += 1))
    await until('as many as there may be', () => answered > 40)
    expect(await ask(other, 'x')).toContain('plain')
    for (const { client } of many.slice(0, 100)) client.destroy()
    await until('others to be served', () => answered > 90)
  })
})

describe('a scan', () => {
  it('says who answers, and for how many', async () => {
    doors = await Doors.start([agent, other], ['--id', 'some-id'])
    expect(await doors.tell('scan\n')).toBe(`ok some-id ${doors.process.pid} 2 0\n`)
    expect(await doors.tell('nonsense\n')).toBe('error\n')
    expect(await doors.tell('x'.repeat(1_000))).toBe('error\n')
  })

  it('finds new agents, heals sockets, and lets go of what has gone', async () => {
    doors = await Doors.start([agent])
    await doors.listen()
    doors.add(other)
    expect(await doors.tell('scan\n')).toMatch(/ 2 0\n$/)
    expect(await ask(other, 'x')).toContain('plain')
    // Deleted; replaced by another's.
    rmSync(doors.path(agent))
    rmSync(doors.path(other))
    await doors.servers.listen((socket) => socket.end('not ours'), doors.path(other))
    await doors.tell('scan\n')
    expect(await ask(agent, 'x')).toBe(`plain ${header}78`)
    expect(await ask(other, 'x')).toContain('plain')
    // One that is gone takes its connections along, and no others.
    const [gone, stays] = [await knock(other), await knock(agent)]
    await Promise.all([gone.answer, stays.answer])
    const ended = hasEnded(gone.client)
    rmSync(join(doors.agents, other), { recursive: true })
    expect(await doors.tell('scan\n')).toMatch(/ 1 1\n$/)
    expect(await ended).toBe(true)
    stays.client.write('y')
    expect(String((await once(stays.client, 'data'))[0])).toContain('79')
  })

  it('takes a directory that was made anew for another', async () => {
    doors = await Doors.start([agent])
    await doors.listen()
    const { answer, client } = await knock(agent)
    await answer
    const ended = hasEnded(client)
    renameSync(join(doors.agents, agent), join(doors.directory, 'elsewhere'))
    doors.add(agent)
    expect(await doors.tell('scan\n')).toMatch(/ 1 0\n$/)
    expect(await ended).toBe(true)
    expect(await ask(agent, 'x')).toContain('plain')
  })

  it('looks at nothing but directories of agents', async () => {
    doors = await Doors.start([])
    const elsewhere = join(doors.directory, 'elsewhere')
    mkdirSync(elsewhere)
    symlinkSync(elsewhere, join(doors.agents, agent))
    writeFileSync(join(doors.agents, other), '')
    for (const name of ['run_1a2b3c4d5e6', 'run_1a2b3c4d5e6f0', 'run_1A2B3C4D5E6F', 'rum_1a2b3c4d5e6f', '.x'])
      doors.add(name)
    expect(await doors.tell('scan\n')).toMatch(/ 0 0\n$/)
    expect(existsSync(join(elsewhere, 'proxy.sock'))).toBe(false)
  })

  it('goes on where a socket cannot be made', async () => {
    doors = await Doors.start([agent])
    doors.add(other)
    mkdirSync(doors.path(other))
    await doors.listen()
    expect(await doors.tell('scan\n')).toMatch(/^ok /)
    expect(await ask(agent, 'x')).toContain('plain')
    rmSync(doors.path(other), { recursive: true })
    await doors.tell('scan\n')
    expect(await ask(other, 'x')).toContain('plain')
  })
})

describe('the end', () => {
  it('comes when it is told to stop and the last connection is over', async () => {
    doors = await Doors.start([agent, other])
    await doors.listen()
    // Not ours any more: somebody else's to remove.
    rmSync(doors.path(other))
    writeFileSync(doors.path(other), '')
    const { answer, client } = await knock(agent)
    await answer
    const exit = once(doors.process.program, 'exit')
    expect(await doors.tell('stop\n')).toMatch(/^ok /)
    expect([agent, other].map((name) => existsSync(doors.path(name)))).toEqual([false, true])
    client.write('y')
    expect(String((await once(client, 'data'))[0])).toContain('79')
    client.destroy()
    expect(await exit).toEqual([0, null])
  })

  it('comes after two seconds all the same', async () => {
    doors = await Doors.start([agent])
    await doors.listen()
    await (await knock(agent)).answer
    const start = performance.now()
    const exit = once(doors.process.program, 'exit')
    await doors.tell('stop\n')
    await exit
    expect(performance.now() - start).toBeGreaterThan(1_900)
  })

  it('comes when another has taken over, and leaves it what is its own', async () => {
    doors = await Doors.start([agent])
    await doors.listen()
    const exit = once(doors.process.program, 'exit')
    await doors.startAnother()
    const { ino } = statSync(doors.path(agent))
    expect(await exit).toEqual([0, null])
    expect(statSync(doors.path(agent)).ino).toBe(ino)
    expect(await ask(agent, 'x')).toContain('plain')
  })

  it('comes when the control socket is deleted', async () => {
    doors = await Doors.start([agent])
    const exit = once(doors.process.program, 'exit')
    rmSync(doors.control)
    expect(await exit).toEqual([0, null])
    expect(existsSync(doors.path(agent))).toBe(false)
  })
})

describe('whatever clients do', () => {
  it('others are served', async () => {
    doors = await Doors.start([agent, other])
    await doors.listen()
    // One that says nothing to the control socket, and more of them than it has room for.
    const silent = Array.from({ length: 20 }, () => connect(doors.control).on('error', () => {}))
    await Promise.all(silent.map((socket) => once(socket, 'connect')))
    expect(await doors.tell('scan\n')).toMatch(/^ok /)
    // Some that leave at every moment; some that never read.
    for (let turn = 0; turn < 20; turn += 1) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => doors.connect(agent)))
      for (const [index, client] of clients.entries()) {
        if (index % 3 > 0) client.pause().write(randomBytes(index * 1_000))
        client.destroy()
      }
    }
    expect(await ask(other, 'x')).toContain('plain')
    await until('all of them to be let go', async () => (await doors.tell('scan\n')).endsWith(' 2 0\n'))
    for (const socket of silent) socket.destroy()
    const waits = doors.process.waits()
    const start = performance.now()
    await until('a second to pass', () => performance.now() - start > 1_000)
    // It may look at its control socket.
    expect(doors.process.waits() - waits).toBeLessThanOrEqual(1)
  })
})
