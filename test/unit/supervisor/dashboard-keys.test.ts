import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { DashboardKeys } from '../../../src/supervisor/dashboard-keys.js'
import { isOwnConnection, ownerOf } from '../../../src/supervisor/peer-user.js'

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
  }
  expect(await isOwnConnection(address, port, { platform: 'darwin', uid: uid + 1 })).toBe(true)
  client.destroy()
  server.close()
})

it('reads the owner from the kernel’s table', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 02:00000000 00000000  1000        0 2 2
   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 3 2
`
  expect(ownerOf(table, 50_000, 8080)).toBe(1000)
  expect(ownerOf(table, 50_001, 8080)).toBeUndefined()
})
