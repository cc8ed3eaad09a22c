// A browser on the same machine, in its network and not in a quiet one of its own: Chromium lets go of every connection when it
// takes the machine's network for changed, which containers that come and go must not look like. Needs the kernel's setting that
// `moat doctor` names; it is put back afterwards.
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { startBrowser, type TestBrowser } from '../../helpers/browser.js'
import { long } from '../../helpers/fuzz.js'
import { Sandbox } from '../../helpers/sandbox.js'

const starts = long ? 20 : 8
const setting = '/proc/sys/net/ipv6/conf/default/addr_gen_mode'

/** A page, and a WebSocket that says nothing and stays open. */
const server = `
const { createHash } = require('node:crypto')
const app = require('node:http').createServer((_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html' }).end('<title>page</title>')
})
app.on('upgrade', ({ headers }, socket) => {
  const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
  const accept = createHash('sha1').update(headers['sec-websocket-key'] + guid).digest('base64')
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n')
  socket.write('Sec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
  socket.on('error', () => {})
})
app.listen(3000)
`

let browser: TestBrowser
let former: string
let sandbox: Sandbox
beforeAll(async () => {
  former = readFileSync(setting, 'utf8')
  writeFileSync(setting, '1')
  sandbox = new Sandbox()
  sandbox.workspace('page')
  sandbox.directory('page', { 'server.js': server })
})
afterAll(async () => {
  await browser?.close()
  await sandbox.cleanUp()
  writeFileSync(setting, former)
})

it(`a page's WebSocket stays open while ${starts} agents start and stop beside it`, async () => {
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.directory('page')])
  const url = new URL(endpoints[0]?.url ?? '')
  await sandbox.json(['wait', 'page', 'web'])
  browser = await startBrowser(sandbox, Number(url.port), { isExposed: true })
  const page = await browser.context.newPage()
  await page.goto(url.href)
  await page.evaluate(`new Promise((opened, failed) => {
    window.ends = 0
    const socket = new WebSocket('wss://' + location.host)
    socket.onopen = opened
    socket.onerror = failed
    socket.onclose = () => window.ends++
  })`)
  const beside = sandbox.workspace('beside')
  for (let start = 0; start < starts; start += 1) {
    await sandbox.json(['run', '-d', beside])
    await sandbox.json(['stop', 'beside'])
    expect(await page.evaluate('window.ends'), `ends after ${start + 1} starts`).toBe(0)
  }
}, 180_000)
