import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { findPortHolder, listeningInodes } from '../../../src/supervisor/port-holder.js'

describe('findPortHolder', () => {
  it('finds the process that listens on a port, and nobody on a free one', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    expect((await findPortHolder(port))?.pid).toBe(process.pid)
    await new Promise((resolve) => server.close(resolve))
    expect(await findPortHolder(port)).toBeUndefined()
  })
})

describe('listeningInodes', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4343 1 0
   2: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4444 1 0
`
  it('takes listening sockets of the port only', () => {
    expect(listeningInodes(table, 8080)).toEqual(['4242'])
    expect(listeningInodes(table, 80)).toEqual(['4444'])
    expect(listeningInodes(table, 81)).toEqual([])
  })
})
