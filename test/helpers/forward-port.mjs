// Hands connections to a port of 127.0.0.1 on to a unix socket, for as long as the program lives that this was started for.
import { connect, createServer } from 'node:net'

const [port, socket] = process.argv.slice(2)
const parent = process.ppid

createServer((connection) => {
  const onward = connect(socket)
  connection.pipe(onward).pipe(connection)
  connection.on('error', () => onward.destroy())
  onward.on('error', () => connection.destroy())
}).listen(Number(port), '127.0.0.1')

setInterval(() => {
  if (process.ppid !== parent) process.exit()
}, 100)
