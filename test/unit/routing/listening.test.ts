import { describe, expect, it } from 'vitest'
import { parseListeners, reachOf } from '../../../src/routing/listening.js'

const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const line = (address: string, port: number, state = '0A') =>
  `   0: ${address}:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 731725 1\n`

describe('parseListeners', () => {
  it.each([
    ['0.0.0.0', '00000000', false],
    ['127.0.0.1', '0100007F', true],
    ['127.0.0.53', '3500007F', true],
    ['an address of the container', '060011AC', false],
    ['::', '00000000000000000000000000000000', false],
    ['::1', '00000000000000000000000001000000', true],
    ['::ffff:127.0.0.1', '0000000000000000FFFF00000100007F', true],
    ['::ffff:172.17.0.6', '0000000000000000FFFF0000060011AC', false],
  ])('knows who reaches %s', (_, address, loopback) => {
    expect(parseListeners(header + line(address, 3000))).toEqual([{ loopback, port: 3000 }])
  })

  it("leaves out connections, the engine's name server, and what is no line of the table", () => {
    const lines = [header, line('00000000', 3000, '01'), line('0B00007F', 40_000), 'cat: no such file', '']
    expect(parseListeners(lines.join('\n'))).toEqual([])
  })
})

describe('reachOf', () => {
  const everywhere = (port: number) => ({ loopback: false, port })
  const inside = (port: number) => ({ loopback: true, port })

  it.each([
    [[everywhere(3000)], { kind: 'answering' }],
    [[inside(3000), everywhere(3000)], { kind: 'answering' }],
    [[inside(3000), everywhere(5173)], { kind: 'loopback' }],
    [[everywhere(5173), everywhere(3001), inside(9000)], { kind: 'elsewhere', ports: [3001, 5173, 9000] }],
    [[everywhere(8080)], { kind: 'nothing' }],
    [[], { kind: 'nothing' }],
  ] as const)('of 3000 with %j, when 8080 is declared too, is %j', (listeners, reach) => {
    expect(reachOf(listeners, 3000, [3000, 8080])).toEqual(reach)
  })
})
