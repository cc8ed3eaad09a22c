// Express with socket.io, as the first steps of its documentation have it: a chat between two pages, over a WebSocket.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Example } from '../helpers/example.js'
import { install } from '../helpers/npm-project.js'
import { until } from '../helpers/until.js'

const example = new Example('chat-app')

const server = `const express = require('express')
const { createServer } = require('node:http')
const { join } = require('node:path')
const { Server } = require('socket.io')

const app = express()
const server = createServer(app)
const io = new Server(server)

app.get('/', (req, res) => {
  res.sendFile(join(__dirname, 'index.html'))
})

io.on('connection', (socket) => {
  socket.on('chat message', (msg) => {
    io.emit('chat message', msg)
  })
})

server.listen(3000, () => {
  console.log('server running at http://localhost:3000')
})
`
const page = `<!DOCTYPE html>
<html>
  <body>
    <ul id="messages"></ul>
    <form id="form"><input id="input" autocomplete="off" /><button>Send</button></form>
    <script src="/socket.io/socket.io.js"></script>
    <script>
      const socket = io();
      const input = document.getElementById('input');
      document.getElementById('form').addEventListener('submit', (e) => {
        e.preventDefault();
        socket.emit('chat message', input.value);
        input.value = '';
      });
      socket.on('chat message', (msg) => {
        const item = document.createElement('li');
        item.textContent = msg;
        document.getElementById('messages').appendChild(item);
      });
    </script>
  </body>
</html>
`

beforeAll(async () => {
  const project = example.directory({
    'index.html': page,
    'index.js': server,
    'package.json': JSON.stringify({ name: 'chat-app', scripts: { start: 'node index.js' }, version: '0.0.1' }),
  })
  await install(project, ['express@5.3.0', 'socket.io@4.8.4'])
  await example.sandbox.json(['init', project])
})
afterAll(() => example.cleanUp())

describe('Express with socket.io', () => {
  it('carries messages between pages at both hosts, over WebSockets', async () => {
    await example.start()
    const [first, second] = [await example.open(`${example.origins[0]}/`), await example.open(`${example.origins[1]}/`)]
    for (const { sockets } of [first, second])
      await until('the WebSocket to take over from polling', () => sockets.frames.includes('3probe'))
    await first.page.fill('#input', 'hello there')
    await first.page.getByRole('button').click()
    await second.page.getByText('hello there').waitFor()
    for (const { sockets } of [first, second]) {
      expect(sockets.statuses).toEqual([200])
      expect(sockets.frames.some((frame) => frame.includes('hello there'))).toBe(true)
    }
  })
})
