import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { DashboardKeys } from '../../../src/supervisor/dashboard-keys.js'
import { isOwnConnection, isOwned } from '../../../src/supervisor/peer-user.js'

it('gives the token for a key once, within a minute, and for nothing else', () => {
  const keys = new DashboardKeys()
  const [first, second] = [keys.issue(0), keys.issue(0)]
  expect(keys.redeem(first, 59_000)).toMatch(/^[\w-]{43}$/)
  expect(keys.redeem(first, 59_000)).toBeUndefined()
  expect(keys.redeem(second, 61_000)).toBeUndefined()
  for (const nonsense of [undefined, '', 'x', { length: 1 }]) expect(keys.redeem(nonsense, 0)).toBeUndefined()
})

it('knows on Linux whose connection a request came over', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = connect(port, '127.0.0.1')
  await once(client, 'connect')
  const address = `127.0.0.1:${client.localPort}`
  const uid = process.geteuid?.() ?? 0
  if (process.platform === 'linux') {
    expect(await isOwnConnection(address, port)).toBe(true)
    expect(await isOwnConnection(address, port, { uid: uid + 1 })).toBe(false)
    expect(await isOwnConnection('127.0.0.1:1', port)).toBe(false)
    expect(await isOwnConnection('nonsense', port)).toBe(false)
    // The same ports, another address: there is no such connection.
    expect(await isOwnConnection(`127.0.0.2:${client.localPort}`, port)).toBe(false)
  }
  expect(await isOwnConnection(address, port, { platform: 'darwin', uid: uid + 1 })).toBe(true)
  client.destroy()
  server.close()
})

/** A kernel's table of sockets: `local remote state uid`. */
const table = (...rows: string[]) =>
  ['  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode']
    .concat(
      rows.map((row, index) => {
        const [local, remote, state, uid] = row.split(' ')
        return `   ${index}: ${local} ${remote} ${state} 00000000:00000000 02:00000000 00000000  ${uid}        0 2 2`
      }),
    )
    .join('\n')
const mapped = '0000000000000000FFFF0000'
const listener = '0100007F:1F90 00000000:0000 0A 1000'
// Between 127.0.0.1:50000 and the server on port 8080, as the server has it and as its client has it.
const server = '0100007F:1F90 0100007F:C350 01 1000'
const client = '0100007F:C350 0100007F:1F90 01'

it('reads in the kernel’s tables whose a connection is', () => {
  const own = table(listener, `${client} 1000`, server)
  expect(isOwned(own, '127.0.0.1:50000', 8080, 1000)).toBe(true)
  expect(isOwned(own, '127.0.0.1:50000', 8080, 1001)).toBe(false)
  expect(isOwned(own, '127.0.0.1:50001', 8080, 1000)).toBe(false)
  expect(isOwned(own, '127.0.0.1:50000', 8081, 1000)).toBe(false)
  for (const nonsense of ['', '@', '127.0.0.1', ':50000', '127.0.0.999:50000', '[fe80::1%eth0]:50000', '[::1:50000'])
    expect(isOwned(own, nonsense, 8080, 1000)).toBe(false)
})

it('is not led astray by a connection of this user’s with the same ports and other addresses', () => {
  // From 127.0.0.2, by another user; from 127.0.0.1, by this one, to somebody else's server on the same port of 127.0.0.3.
  const others = ['0200007F:C350 0100007F:1F90 01 1001', '0100007F:1F90 0200007F:C350 01 1000']
  expect(isOwned(table(`${client} 1000`, server, ...others), '127.0.0.2:50000', 8080, 1000)).toBe(false)
  expect(isOwned(table(`${client} 1000`, server, ...others), '127.0.0.1:50000', 8080, 1000)).toBe(true)
  const elsewhere = '0100007F:C350 0300007F:1F90 01 1000'
  expect(isOwned(table(elsewhere, `${client} 1001`, server), '127.0.0.1:50000', 8080, 1000)).toBe(false)
  expect(isOwned(table(elsewhere, server), '127.0.0.1:50000', 8080, 1000)).toBe(false)
  // A container's, whose address is not of this network at all.
  const container = '010011AC:1F90 020011AC:C350 01 1000'
  expect(isOwned(table(`${client} 1000`, container), '172.17.0.2:50000', 8080, 1000)).toBe(false)
})

it('wants all that may be the connection to be this user’s', () => {
  const second = ['0100007F:C350 0300007F:1F90 05 1001', '0300007F:1F90 0100007F:C350 08 1000']
  expect(isOwned(table(`${client} 1000`, server, ...second), '127.0.0.1:50000', 8080, 1000)).toBe(false)
  // Half closed, and still read from.
  expect(isOwned(table(client.replace(' 01', ' 05 1001'), server), '127.0.0.1:50000', 8080, 1000)).toBe(false)
})

it('knows addresses of IPv4 in sockets of IPv6, and those of IPv6', () => {
  const [from, to] = ['0100007F:C350', '0100007F:1F90']
  const both = table(`${mapped}${from} ${mapped}${to} 01 1000`, `${mapped}${to} ${mapped}${from} 01 1000`)
  const half = table(`${from} ${to} 01 1000`, `${mapped}${to} ${mapped}${from} 01 1000`)
  for (const text of ['127.0.0.1:50000', '[::ffff:127.0.0.1]:50000', '[::ffff:7f00:1]:50000'])
    for (const rows of [both, half]) expect(isOwned(rows, text, 8080, 1000)).toBe(true)
  const [here, there] = ['00000000000000000000000001000000:C350', '00000000000000000000000001000000:1F90']
  const six = table(`${here} ${there} 01 1000`, `${there} ${here} 01 1000`)
  expect(isOwned(six, '[::1]:50000', 8080, 1000)).toBe(true)
  expect(isOwned(six, '127.0.0.1:50000', 8080, 1000)).toBe(false)
  const global = ['B80D01200000000000000000EF010000:C350', 'B80D01200000000000000000EF010000:1F90']
  const wide = table(`${global[0]} ${global[1]} 01 1000`, `${global[1]} ${global[0]} 01 1000`)
  expect(isOwned(wide, '[2001:db8::1ef]:50000', 8080, 1000)).toBe(true)
  expect(isOwned(wide, '[2001:db8::1ef:0]:50000', 8080, 1000)).toBe(false)
})
