// Owns noticing the end of a Caddy that is nobody's child any more: its end closes every connection to it, at once.
import { connect, type Socket } from 'node:net'
import type { ProcessIdentity } from '../processes/process-facts.js'
import { isRunning } from '../processes/same-process.js'

/** Before a connection that Caddy closed, as it does at each change of its config, is made again. Milliseconds. */
const reconnectWait = 100

/** Calls `onEnd` once, when the process has ended, unless the returned function was called before. */
export function watchCaddy(adminSocket: string, one: ProcessIdentity, onEnd: () => void): () => void {
  let connection: Socket | undefined
  let timer: NodeJS.Timeout | undefined
  let done = false
  const end = () => {
    done = true
    clearTimeout(timer)
    connection?.destroy()
  }
  const look = async () => {
    const alive = await isRunning(one)
    if (done) return
    if (alive) timer = setTimeout(hold, reconnectWait)
    else {
      end()
      onEnd()
    }
  }
  const hold = () => {
    connection = connect(adminSocket)
    connection.on('error', () => {})
    connection.once('close', () => void look())
    connection.resume()
  }
  hold()
  return end
}
